import { randomInt } from 'node:crypto';
import { seededRandom, systemClock } from '@tidemark/kernel';
import { defaultShape, EventGenerator, type TrafficShape } from './event-generator.ts';
import { EventSender } from './event-sender.ts';
import { type ProductionProgress, SteadyProduction } from './steady-production.ts';

export interface ProduceOptions extends Partial<TrafficShape> {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly ratePerSec: number;
  readonly durationMs: number;
  /** Repeats a sequence of keys, ratings and faults; a new one unless given. */
  readonly seed?: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ProductionProgress) => void;
}

export interface ProduceResult extends ProductionProgress {
  readonly seed: number;
}

/** A seed of its own for every run that was given none, so that every run can be repeated. */
export function chooseSeed(given: number | undefined): number {
  return given === undefined || given === 0 ? randomInt(1, 2 ** 32) : given;
}

/** Produces synthetic review events for a while: `tidemark produce`. */
export async function produce(options: ProduceOptions): Promise<ProduceResult> {
  const seed = chooseSeed(options.seed);
  const generator = new EventGenerator({ ...defaultShape, ...options }, seededRandom(seed), systemClock);
  const connection = { brokers: options.brokers, clientId: 'tidemark-produce' };
  const sender = new EventSender(connection, options.topic, systemClock);
  try {
    await sender.ping();
    const production = new SteadyProduction({
      ratePerSec: options.ratePerSec,
      durationMs: options.durationMs,
      send: events => sender.send(Array.from({ length: events }, () => generator.next())),
      clock: systemClock,
      signal: options.signal,
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    });
    return { ...(await production.run()), seed };
  } finally {
    await sender.close();
  }
}
