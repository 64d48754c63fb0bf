import { type Clock, seededRandom } from '@tidemark/kernel';
import { identify, type ProcessIdentity } from './process-identity.ts';
import { type RunState, writeRunState } from './run-state.ts';
import { inWaves, type ServiceStep, type Step } from './step.ts';
import { type SupervisedEvents, SupervisedProcess } from './supervised-process.ts';

/** Time for the whole stack to end, milliseconds; what is left over after it is killed. */
export const stopWithinMs = 9500;

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
  readonly events: SupervisorEvents;
}

/** Brings the steps of a stack up in the order of their needs, keeps the services running, and takes them down. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #services: readonly SupervisedProcess[];
  #self: ProcessIdentity | undefined;
  #startedAt = '';
  #writing: Promise<void> = Promise.resolve();
  #dirty = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const events: SupervisedEvents = { ...options.events, changed: () => this.#record() };
    this.#services = options.steps
      .filter((step): step is ServiceStep => step.kind === 'service')
      .map(
        step =>
          new SupervisedProcess(step, { ...options, events, random: seededRandom(options.clock.now()) }),
      );
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
    await Promise.all(done.values());
  }

  /** Stops the services in reverse order; each wave may use what the later ones left of the time. */
  async stop(): Promise<void> {
    const { clock } = this.#options;
    const begun = clock.monotonic();
    const waves = inWaves(this.#services.map(({ step }) => step)).toReversed();
    for (const [index, wave] of waves.entries()) {
      const deadline = begun + (stopWithinMs * (index + 1)) / waves.length;
      await Promise.all(wave.map(async step => this.#service(step.name)?.stop(deadline)));
    }
    await this.#writing;
  }

  async #run(step: Step): Promise<void> {
    const { clock, events } = this.#options;
    const begun = clock.monotonic();
    events.started(step.name);
    let detail = '';
    if (step.kind === 'task') detail = await step.run();
    else {
      await this.#service(step.name)?.start();
      detail = step.address;
    }
    events.done(step.name, detail, clock.monotonic() - begun);
  }

  #service(name: string): SupervisedProcess | undefined {
    return this.#services.find(service => service.step.name === name);
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
