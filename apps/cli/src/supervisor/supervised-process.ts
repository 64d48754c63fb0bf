import { join } from 'node:path';
import { backoffDelayMs, type Clock, describeError, TidemarkError } from '@tidemark/kernel';
import { deadlineAt } from './deadline.ts';
import { LogFile } from './log-file.ts';
import type { ProcessIdentity } from './process-identity.ts';
import type { ServiceRecord, ServiceState } from './run-state.ts';
import { type RunningProcess, runProcess } from './running-process.ts';
import type { ServiceStep } from './step.ts';

/** How a service that dies is started again. */
export interface RestartPolicy {
  readonly backoff: { readonly baseMs: number; readonly capMs: number };
  /** Deaths in a row before the service is given up. */
  readonly deathsMax: number;
  /** A service that stayed ready for this long starts counting anew, milliseconds. */
  readonly healthyAfterMs: number;
  /**
   * How long a service may take to become ready when the stack comes up, milliseconds. Later it may take as long
   * as what it depends on is away.
   */
  readonly readyWithinMs: number;
}

export const restartPolicy: RestartPolicy = {
  backoff: { baseMs: 250, capMs: 10_000 },
  deathsMax: 6,
  healthyAfterMs: 2000,
  readyWithinMs: 90_000,
};

/** Pause between two questions whether a service is ready: short at first, longer the longer it takes, milliseconds. */
const probePause = { minMs: 40, maxMs: 1000, shareOfWait: 0.1 } as const;
/** How long one question may take, milliseconds. */
const probeTimeoutMs = 2000;

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
  readonly policy: RestartPolicy;
  readonly events: SupervisedEvents;
}

/** One service, kept running until it is stopped or given up. */
export class SupervisedProcess {
  readonly step: ServiceStep;
  readonly #options: SupervisedOptions;
  readonly #log: LogFile;
  readonly #stopping = new AbortController();
  #process: RunningProcess | undefined;
  #identity: ProcessIdentity | null = null;
  #state: ServiceState = 'waiting';
  #since: string | null = null;
  #restarts = 0;
  #deathsInARow = 0;
  #trouble: string | null = null;
  #starting: Promise<void> | undefined;
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
    this.#starting = this.#untilReady(this.#options.clock.monotonic() + this.#options.policy.readyWithinMs);
    await this.#starting;
    this.#keeper = this.#keep();
  }

  /**
   * Asks the service to end, and kills it when it has not done so by the deadline (monotonic milliseconds) or once
   * `impatient` aborts. A start that is under way is waited for as long.
   */
  async stop(deadline: number, impatient?: AbortSignal): Promise<void> {
    this.#stopping.abort(new Error('stopping'));
    const limit = deadlineAt(this.#options.clock, deadline, impatient);
    if (this.#process?.alive) {
      this.#become('stopping');
      this.#process.signal(this.step.stopSignal);
      await Promise.race([this.#process.ended, limit.passed]);
      if (this.#process.alive) this.#process.kill();
      await this.#process.ended;
    }
    await Promise.race([Promise.allSettled([this.#starting, this.#keeper]), limit.passed]);
    limit.cancel();
    this.#identity = null;
    if (this.#state !== 'failed') this.#become('stopped');
    this.#log.close();
  }

  /** Starts the service again whenever it dies, until it is stopped or given up. */
  async #keep(): Promise<void> {
    const { clock, events, policy } = this.#options;
    while (this.#process) {
      const readyAt = clock.monotonic();
      const how = await this.#process.ended;
      if (this.#stopping.signal.aborted) return;
      const diedAt = clock.monotonic();
      if (diedAt - readyAt >= policy.healthyAfterMs) this.#deathsInARow = 0;
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
    const process = await this.#launch(deadline);
    if (typeof process === 'string') return process;
    this.#process = process;
    this.#since = new Date(this.#options.clock.now()).toISOString();
    this.#identity = (await process.identity) ?? null;
    this.#become(this.#stopping.signal.aborted ? 'stopping' : 'starting');
    if ((await this.#ready(process, deadline)) === 'dead') return process.ended;
    this.#trouble = null;
    this.#become('ready');
    return 'ready';
  }

  /** On the way up, what stands in the way of a start is told at once; later it is one more death. */
  async #launch(deadline: number): Promise<RunningProcess | string> {
    try {
      const launch = await this.step.prepare();
      this.#stopping.signal.throwIfAborted();
      return runProcess(launch, this.#log);
    } catch (error) {
      if (this.#stopping.signal.aborted || Number.isFinite(deadline)) throw error;
      return `could not be started: ${describeError(error)}`;
    }
  }

  #noteDeath(how: string): void {
    this.#identity = null;
    this.#since = null;
    this.#stopping.signal.throwIfAborted();
    this.#trouble = how;
    this.#deathsInARow += 1;
    if (this.#deathsInARow < this.#options.policy.deathsMax) return this.#become('restarting');
    this.#become('failed');
    this.#options.events.gaveUp(this.step.name, how, this.#log.lastLines(12));
    throw givenUp(this.step.name, how);
  }

  async #pauseBeforeRestart(): Promise<void> {
    const { clock, random, events, policy } = this.#options;
    const waitMs = backoffDelayMs(policy.backoff, this.#deathsInARow - 1, random);
    events.died(this.step.name, this.#trouble ?? 'died', waitMs);
    await clock.sleep(waitMs, this.#stopping.signal);
    this.#restarts += 1;
  }

  async #ready(process: RunningProcess, deadline: number): Promise<'ready' | 'dead'> {
    const { clock } = this.#options;
    const begun = clock.monotonic();
    const dead = new AbortController();
    void process.ended.then(() => dead.abort());
    const over = AbortSignal.any([dead.signal, this.#stopping.signal]);
    while (!over.aborted) {
      try {
        await this.#probe(over);
        return 'ready';
      } catch (error) {
        const waitedMs = clock.monotonic() - begun;
        if (clock.monotonic() > deadline) {
          throw notReady(this.step.name, waitedMs, error, this.#log.lastLines(3));
        }
        await clock.sleep(pauseAfter(waitedMs), over).catch(() => {});
      }
    }
    return 'dead';
  }

  /** A probe that does not heed its signal must not hold up what comes after it. */
  async #probe(over: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([over, AbortSignal.timeout(probeTimeoutMs)]);
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => aborted.reject(new Error('no answer')), { once: true });
    await Promise.race([this.step.probe(signal), aborted.promise]);
  }

  #become(state: ServiceState): void {
    this.#state = state;
    this.#options.events.changed();
  }
}

function pauseAfter(waitedMs: number): number {
  const { minMs, maxMs, shareOfWait } = probePause;
  return Math.min(maxMs, Math.max(minMs, waitedMs * shareOfWait));
}

function givenUp(name: string, how: string): TidemarkError {
  return new TidemarkError('SERVICE_GIVEN_UP', `${name} keeps dying and was given up: it ${how}`, {
    hint: `Its last words stand above; the whole log is shown by \`tidemark logs ${name}\`.`,
  });
}

function notReady(name: string, waitedMs: number, last: unknown, lines: readonly string[]): TidemarkError {
  const words = lines.length > 0 ? `; its log ends with: ${lines.join(' | ')}` : '';
  return new TidemarkError(
    'SERVICE_NOT_READY',
    `${name} was not ready within ${Math.round(waitedMs / 1000)} s (${describeError(last)})${words}`,
    {
      hint: `See \`tidemark logs ${name}\`.`,
    },
  );
}
