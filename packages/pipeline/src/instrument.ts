import type { Clock } from '@tidemark/kernel';
import type { Batch } from './batch.ts';
import type { DeliveryError } from './delivery-error.ts';
import { type Receipt, type Sink, wrapDeliver } from './sink.ts';

/** What there is to know about a pipeline's deliveries while they happen. Every method is optional. */
export interface DeliveryObserver<E> {
  /** A batch was persisted. `durationMs` covers its last attempt only. */
  persisted?(batch: Batch<E>, receipt: Receipt, durationMs: number): void;
  retried?(error: DeliveryError): void;
}

/** Reports every batch that the sink acknowledged, at the size at which it was acknowledged. */
export function instrumented<E>(inner: Sink<E>, observer: DeliveryObserver<E>, clock: Clock): Sink<E> {
  return wrapDeliver(inner, async (batch, signal) => {
    const startedMs = clock.monotonic();
    const receipt = await inner.deliver(batch, signal);
    observer.persisted?.(batch, receipt, clock.monotonic() - startedMs);
    return receipt;
  });
}
