import {
  chooseSeed,
  EventGenerator,
  type EventSender,
  SteadyProduction,
  type TrafficShape,
} from '@tidemark/connectors/synthetic';
import { type Clock, seededRandom } from '@tidemark/kernel';

export interface BackgroundOptions extends TrafficShape {
  readonly ratePerSec: number;
  /** 0 means until it is stopped. */
  readonly durationMs: number;
  readonly seed: number;
}

/** A production that was started; what `GET /status` answers. */
export interface BackgroundStatus {
  readonly running: boolean;
  readonly options: BackgroundOptions | null;
  readonly seed: number | null;
  readonly produced: number;
  readonly failed: number;
  /** Acknowledged events a second since the start. */
  readonly achievedPerSec: number;
  /** The broker does not take as much as was asked for. */
  readonly saturated: boolean;
}

interface Running {
  readonly options: BackgroundOptions;
  readonly seed: number;
  readonly production: SteadyProduction;
  readonly abort: AbortController;
  readonly done: Promise<unknown>;
  ended: boolean;
}

/** At most one production at a time, started and stopped over HTTP. */
export class Background {
  readonly #sender: EventSender;
  readonly #clock: Clock;
  #current: Running | undefined;

  constructor(sender: EventSender, clock: Clock) {
    this.#sender = sender;
    this.#clock = clock;
  }

  get running(): boolean {
    return this.#current !== undefined && !this.#current.ended;
  }

  /** Starts; false when one is running already, which goes on unchanged. */
  start(options: BackgroundOptions): boolean {
    if (this.running) return false;
    const seed = chooseSeed(options.seed);
    const generator = new EventGenerator(options, seededRandom(seed), this.#clock);
    const abort = new AbortController();
    const production = new SteadyProduction({
      ratePerSec: options.ratePerSec,
      durationMs: options.durationMs === 0 ? Infinity : options.durationMs,
      send: events => this.#sender.send(Array.from({ length: events }, () => generator.next())),
      clock: this.#clock,
      signal: abort.signal,
    });
    const running: Running = { options, seed, production, abort, done: production.run(), ended: false };
    void running.done.then(() => {
      running.ended = true;
    });
    this.#current = running;
    return true;
  }

  /** Resolves when everything sent was answered. */
  async stop(): Promise<void> {
    this.#current?.abort.abort();
    await this.#current?.done;
  }

  status(): BackgroundStatus {
    const current = this.#current;
    const progress = current?.production.progress;
    return {
      running: this.running,
      options: current?.options ?? null,
      seed: current?.seed ?? null,
      produced: progress?.acknowledged ?? 0,
      failed: progress?.failed ?? 0,
      achievedPerSec: progress ? (progress.acknowledged / Math.max(1, progress.elapsedMs)) * 1000 : 0,
      saturated: this.running && (progress?.saturated ?? false),
    };
  }
}
