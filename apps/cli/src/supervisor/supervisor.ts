import { type Clock, seededRandom } from '@tidemark/kernel';
import { deadlineAt } from './deadline.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';
import { type RunState, writeRunState } from './run-state.ts';
import { inWaves, type ServiceStep, type Step } from './step.ts';
import {
  type RestartPolicy,
  restartPolicy,
  type SupervisedEvents,
  SupervisedProcess,
} from './supervised-process.ts';

/** Time for the whole stack to end, milliseconds; what is left over after it is killed. */
export const stopWithinMs = 9500;
/** What the services that stop first leave of it, at the least, for each group that stops after them, milliseconds. */
const reservePerWaveMs = 500;

export interface SupervisorEvents extends Omit<SupervisedEvents, 'changed'> {
  started(name: string): void;
  /** A service is ready, or a task done; `detail` is its address or what it did. */
  done(name: string, detail: string, tookMs: number): void;
}

export interface SupervisorOptions {
  readonly steps: readonly Step[];
  readonly logs: string;
  readonly stateFile: string;
  readonly portOffset: number;
  readonly clock: Clock;
  readonly policy?: RestartPolicy;
  readonly events: SupervisorEvents;
}

/** Brings the steps of a stack up in the order of their needs, keeps the services running, and takes them down. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #services: readonly SupervisedProcess[];
  readonly #stopping = new AbortController();
  #steps: readonly Promise<void>[] = [];
  #self: ProcessIdentity | undefined;
  #startedAt = '';
  #writing: Promise<void> = Promise.resolve();
  #dirty = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { clock, logs, policy = restartPolicy } = options;
    const events: SupervisedEvents = { ...options.events, changed: () => this.#record() };
    const random = seededRandom(clock.now());
    this.#services = options.steps
      .filter((step): step is ServiceStep => step.kind === 'service')
      .map(step => new SupervisedProcess(step, { logs, clock, policy, events, random }));
  }

  /** Resolves when every step is done; the first failure rejects. The caller then stops the rest. */
  async start(): Promise<void> {
    this.#self = await identify(process.pid);
    this.#startedAt = new Date(this.#options.clock.now()).toISOString();
    const done = new Map<string, Promise<void>>();
    for (const step of inWaves(this.#options.steps).flat()) {
      const needs = Promise.all(step.needs.map(async need => done.get(need)));
      done.set(
        step.name,
        needs.then(() => this.#run(step)),
      );
    }
    this.#steps = [...done.values()];
    await Promise.all(this.#steps);
  }

  /**
   * Stops the services in reverse order, whether the start has finished or not. What needs longer than
   * {@link stopWithinMs}, or is still there when `impatient` aborts, is killed.
   */
  async stop(impatient?: AbortSignal): Promise<void> {
    const { clock, steps } = this.#options;
    this.#stopping.abort(new Error('stopping'));
    const end = clock.monotonic() + stopWithinMs;
    // The order is that of all steps: what a service needs by way of a task still has to outlive it.
    const waves = inWaves(steps)
      .map(wave => this.#services.filter(({ step }) => wave.includes(step)))
      .filter(wave => wave.length > 0)
      .toReversed();
    for (const [index, wave] of waves.entries()) {
      const deadline = end - reservePerWaveMs * (waves.length - 1 - index);
      await Promise.all(wave.map(service => service.stop(deadline, impatient)));
    }
    await this.#stepsEnd(end, impatient);
    await this.#writing;
  }

  /** Tasks that are under way have been told to end; the process must not exit in the middle of their work. */
  async #stepsEnd(deadline: number, impatient: AbortSignal | undefined): Promise<void> {
    const limit = deadlineAt(this.#options.clock, deadline, impatient);
    await Promise.race([Promise.allSettled(this.#steps), limit.passed]);
    limit.cancel();
  }

  async #run(step: Step): Promise<void> {
    const { clock, events } = this.#options;
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    const begun = clock.monotonic();
    events.started(step.name);
    let detail = '';
    if (step.kind === 'task') detail = await step.run(signal);
    else {
      await this.#services.find(service => service.step === step)?.start();
      detail = step.address;
    }
    if (!signal.aborted) events.done(step.name, detail, clock.monotonic() - begun);
  }

  /** Writes the state down; changes during a write are written once after it. */
  #record(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    this.#writing = this.#writing
      .then(() => {
        this.#dirty = false;
        return this.#self ? writeRunState(this.#options.stateFile, this.#state(this.#self)) : undefined;
      })
      .catch(() => {}); // a full disk must not end the stack; status then shows the last state written
  }

  #state(supervisor: ProcessIdentity): RunState {
    return {
      supervisor,
      startedAt: this.#startedAt,
      portOffset: this.#options.portOffset,
      services: this.#services.map(service => service.record),
    };
  }
}
