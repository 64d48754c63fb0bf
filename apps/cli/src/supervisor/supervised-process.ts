import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { backoffDelayMs, type Clock, describeError, TidemarkError } from '@tidemark/kernel';
import { LogFile } from './log-file.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';
import type { ServiceRecord, ServiceState } from './run-state.ts';
import type { ServiceStep } from './step.ts';

/** How a service that dies is started again. */
export const restartPolicy = {
  backoff: { baseMs: 250, capMs: 10_000 },
  /** Deaths in a row before the service is given up. */
  deathsMax: 6,
  /** A service that stayed ready for this long starts counting anew, milliseconds. */
  healthyAfterMs: 2000,
  /**
   * How long a service may take to become ready when the stack comes up, milliseconds. Later it may take as long
   * as what it depends on is away.
   */
  readyWithinMs: 90_000,
  probeEveryMs: 40,
} as const;

/** What happens to a service, for the terminal. */
export interface SupervisedEvents {
  changed(): void;
  died(name: string, how: string, restartInMs: number): void;
  recovered(name: string, tookMs: number): void;
  gaveUp(name: string, how: string, lastLines: readonly string[]): void;
}

export interface SupervisedOptions {
  readonly logs: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: SupervisedEvents;
}

/** One service, kept running until it is stopped or given up. */
export class SupervisedProcess {
  readonly step: ServiceStep;
  readonly #options: SupervisedOptions;
  readonly #log: LogFile;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #exited: Promise<string> = Promise.resolve('');
  #identity: ProcessIdentity | null = null;
  #state: ServiceState = 'waiting';
  #since: string | null = null;
  #restarts = 0;
  #deathsInARow = 0;
  #trouble: string | null = null;
  #keeper: Promise<void> = Promise.resolve();

  constructor(step: ServiceStep, options: SupervisedOptions) {
    this.step = step;
    this.#options = options;
    this.#log = new LogFile(join(options.logs, `${step.name}.log`));
  }

  get record(): ServiceRecord {
    return {
      name: this.step.name,
      state: this.#state,
      process: this.#identity,
      address: this.step.address,
      restarts: this.#restarts,
      since: this.#since,
      trouble: this.#trouble,
    };
  }

  /**
   * Starts the service and resolves once it is ready. Deaths on the way are retried.
   * @throws TidemarkError SERVICE_GIVEN_UP, SERVICE_NOT_READY
   */
  async start(): Promise<void> {
    await this.#untilReady(this.#options.clock.monotonic() + restartPolicy.readyWithinMs);
    this.#keeper = this.#keep();
  }

  /** Asks the service to end, and kills it when it has not done so by the deadline (monotonic milliseconds). */
  async stop(deadline: number): Promise<void> {
    this.#stopping.abort(new Error('stopping'));
    const child = this.#child;
    if (child && isAlive(child)) {
      this.#become('stopping');
      child.kill(this.step.stopSignal);
      const { clock } = this.#options;
      const patience = new AbortController();
      const lapsed = clock.sleep(Math.max(0, deadline - clock.monotonic()), patience.signal).then(
        () => child.kill('SIGKILL'),
        () => false,
      );
      await this.#exited;
      patience.abort();
      await lapsed;
    }
    await this.#keeper;
    this.#identity = null;
    this.#become('stopped');
    await this.#log.close();
  }

  /** Starts the service again whenever it dies, until it is stopped or given up. */
  async #keep(): Promise<void> {
    const { clock, events } = this.#options;
    for (;;) {
      const readyAt = clock.monotonic();
      const how = await this.#exited;
      if (this.#stopping.signal.aborted) return;
      const diedAt = clock.monotonic();
      if (diedAt - readyAt >= restartPolicy.healthyAfterMs) this.#deathsInARow = 0;
      try {
        this.#noteDeath(how);
        await this.#untilReady();
      } catch {
        return; // stopped or given up; both were told
      }
      events.recovered(this.step.name, clock.monotonic() - diedAt);
    }
  }

  async #untilReady(deadline = Number.POSITIVE_INFINITY): Promise<void> {
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      if (this.#deathsInARow > 0) await this.#pauseBeforeRestart();
      const outcome = await this.#tryOnce(deadline);
      if (outcome === 'ready') return;
      this.#noteDeath(outcome);
    }
  }

  /** Resolves with 'ready', or with how the process died. */
  async #tryOnce(deadline: number): Promise<string> {
    await this.#spawn();
    this.#become('starting');
    const died = this.#exited;
    const outcome = await Promise.race([this.#ready(died, deadline), died]);
    if (outcome !== 'ready') return outcome;
    this.#trouble = null;
    this.#become('ready');
    return outcome;
  }

  #noteDeath(how: string): void {
    this.#identity = null;
    this.#since = null;
    this.#trouble = how;
    this.#deathsInARow += 1;
    if (this.#stopping.signal.aborted) throw this.#stopping.signal.reason;
    if (this.#deathsInARow < restartPolicy.deathsMax) return this.#become('restarting');
    const lastLines = this.#log.lastLines(12);
    this.#become('failed');
    this.#options.events.gaveUp(this.step.name, how, lastLines);
    throw givenUp(this.step.name, how);
  }

  async #pauseBeforeRestart(): Promise<void> {
    const { clock, random, events } = this.#options;
    const waitMs = backoffDelayMs(restartPolicy.backoff, this.#deathsInARow - 1, random);
    events.died(this.step.name, this.#trouble ?? 'died', waitMs);
    await clock.sleep(waitMs, this.#stopping.signal);
    this.#restarts += 1;
  }

  async #spawn(): Promise<void> {
    const launch = await this.step.prepare();
    this.#stopping.signal.throwIfAborted();
    const child = spawn(launch.command, launch.args, {
      cwd: launch.cwd,
      env: { ...launch.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C reaches the supervisor only, which stops the services in order.
      detached: true,
      ...(launch.user ? { uid: launch.user.uid, gid: launch.user.gid } : {}),
    });
    this.#child = child;
    this.#exited = this.#watch(child);
    this.#identity = child.pid === undefined ? null : ((await identify(child.pid)) ?? null);
    this.#since = new Date(this.#options.clock.now()).toISOString();
  }

  /** Collects the output; resolves with the way in which the process ended. */
  #watch(child: ChildProcess): Promise<string> {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        if (this.#log.write(chunk)) return;
        stream.pause();
        void this.#log.drained().then(() => stream.resume());
      });
    }
    child.stdin?.on('error', () => {});
    return new Promise(resolve => {
      child.once('error', error => resolve(`could not be started: ${describeError(error)}`));
      child.once('exit', (code, signal) => {
        resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
      });
    });
  }

  async #ready(died: Promise<string>, deadline: number): Promise<'ready'> {
    const { clock } = this.#options;
    const over = new AbortController();
    void died.then(() => over.abort());
    let last: unknown;
    while (!over.signal.aborted && !this.#stopping.signal.aborted) {
      try {
        await this.step.probe(AbortSignal.any([over.signal, AbortSignal.timeout(2000)]));
        return 'ready';
      } catch (error) {
        last = error;
      }
      if (clock.monotonic() > deadline) throw notReady(this.step.name, last, this.#log.lastLines(3));
      await clock.sleep(restartPolicy.probeEveryMs);
    }
    await died;
    this.#stopping.signal.throwIfAborted();
    return new Promise(() => {}); // the race was decided by the death
  }

  #become(state: ServiceState): void {
    this.#state = state;
    this.#options.events.changed();
  }
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

function givenUp(name: string, how: string): TidemarkError {
  return new TidemarkError('SERVICE_GIVEN_UP', `${name} keeps dying and was given up: it ${how}`, {
    hint: `Its last words stand above; the whole log is shown by \`tidemark logs ${name}\`.`,
  });
}

function notReady(name: string, last: unknown, lines: readonly string[]): TidemarkError {
  const seconds = restartPolicy.readyWithinMs / 1000;
  const words = lines.length > 0 ? `; its log ends with: ${lines.join(' | ')}` : '';
  return new TidemarkError(
    'SERVICE_NOT_READY',
    `${name} was not ready within ${seconds} s (${describeError(last)})${words}`,
    {
      hint: `See \`tidemark logs ${name}\`.`,
    },
  );
}
