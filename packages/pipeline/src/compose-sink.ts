import type { BackoffPolicy, Clock } from '@tidemark/kernel';
import type { BatchLimit } from './batch-limit.ts';
import { bisecting } from './bisect.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { type DeadLetterPort, deadLettering, persistently } from './dead-letter.ts';
import { type DeliveryObserver, instrumented } from './instrument.ts';
import { Lettered } from './lettered.ts';
import { type ParkingConfig, parking } from './parking.ts';
import { piecewise } from './piecewise.ts';
import type { RateLimit } from './rate-limit.ts';
import type { TopicPartition } from './record.ts';
import { type RetryPolicy, retrying } from './retry.ts';
import type { Sink } from './sink.ts';

export interface SinkPolicy {
  readonly retry: RetryPolicy;
  readonly breaker: { readonly failures: number; readonly cooldown: BackoffPolicy };
}

/** Retries as the original describes them: 8 attempts, 100 ms doubling to 5 s. */
export const defaultSinkPolicy: SinkPolicy = {
  retry: { attempts: 8, baseMs: 100, capMs: 5000 },
  breaker: { failures: 3, cooldown: { baseMs: 500, capMs: 5000 } },
};

export interface SinkParts<E> {
  readonly pipeline: string;
  readonly sink: Sink<E>;
  readonly deadLetters: DeadLetterPort;
  /** Rejects while the sink as a whole is not well. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly policy: SinkPolicy;
  /** Absent when the pipeline does not care whether a dead letter's successors overtake it. */
  readonly parking: ParkingConfig | undefined;
  readonly rate: RateLimit;
  readonly batchLimit: BatchLimit;
  readonly observer: DeliveryObserver<E>;
  readonly onBreaker: (state: BreakerState) => void;
  readonly onDeadLetterFailure: (error: unknown) => void;
  readonly onParkingFull: (partition: TopicPartition, full: boolean) => void;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * The layers around a sink; this order is the design. From the outside in: what decoding rejected is dead-lettered
 * first; a failing batch is cut until the culprit stands alone; successors of a dead letter are held back; one piece is
 * tried again and again; the breaker holds tries back while the sink is down; the rate limit spaces them; the innermost layer sees what really was persisted.
 */
export function composeSink<E>(parts: SinkParts<E>): Sink<E> {
  const { pipeline, policy, clock, random, observer, batchLimit } = parts;
  const lettered = new Lettered();
  const stored = persistently(parts.deadLetters, {
    backoff: policy.retry,
    clock,
    random,
    onFailure: parts.onDeadLetterFailure,
  });
  const deadLetters = parts.parking ? lettered.guard(stored) : stored;
  const breaker = new Breaker({ ...policy.breaker, clock, random, onState: parts.onBreaker });
  const measured = instrumented(parts.sink, observer, clock);
  const guarded = breaker.guard(parts.rate.guard(measured));
  const retried = retrying(guarded, {
    policy: policy.retry,
    clock,
    random,
    probe: parts.probe,
    onRetry: error => observer.retried?.(error),
  });
  const ordered = keepingKeys(retried, parts, deadLetters, lettered);
  const bisected = bisecting(ordered, {
    pipeline,
    deadLetters,
    clock,
    onOverloaded(error) {
      batchLimit.shrink();
      observer.retried?.(error); // the halves are the next try; a slow sink must show in the retries
    },
  });
  return parts.parking ? piecewise(bisected, parts.parking) : deadLettering(bisected, pipeline, deadLetters);
}

function keepingKeys<E>(
  inner: Sink<E>,
  parts: SinkParts<E>,
  deadLetters: DeadLetterPort,
  lettered: Lettered,
): Sink<E> {
  const { pipeline, policy, clock, random } = parts;
  if (parts.parking === undefined) return inner;
  return parking(inner, {
    pipeline,
    config: parts.parking,
    deadLetters,
    lettered,
    backoff: policy.retry,
    clock,
    random,
    onFull: parts.onParkingFull,
    onFailure: parts.onDeadLetterFailure,
  });
}
