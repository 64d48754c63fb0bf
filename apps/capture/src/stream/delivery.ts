import { type BackoffPolicy, backoffDelayMs, type Clock, errorCode } from '@tidemark/kernel';
import type { Batch, Outbox } from './outbox.ts';
import type { ChangeSink } from './sink.ts';

export interface DeliveryOptions {
  readonly outbox: Outbox;
  readonly sink: ChangeSink;
  readonly clock: Clock;
  readonly random: () => number;
  /** A batch has left the outbox. */
  readonly onTaken: () => void;
  readonly onAcknowledged: (batch: Batch) => void;
  /** The sink did not take a batch and is tried again. */
  readonly onTrouble: (error: unknown) => void;
  /** The sink took a batch after trouble. */
  readonly onRecovered: () => void;
}

const retryPolicy: BackoffPolicy = { baseMs: 100, capMs: 5000 };

/**
 * Hands the outbox to the sink, one batch at a time, so that order holds also across retries. There is no linger: a
 * lone change leaves at once, and what gathers while a batch is under way makes the next one.
 * Ends when the signal aborts, after the batch under way has settled; rejects when the sink refuses for good.
 */
export async function deliver(options: DeliveryOptions, signal: AbortSignal): Promise<void> {
  const { outbox, onTaken, onAcknowledged } = options;
  while (!signal.aborted) {
    await outbox.waitForEntries(signal).catch(() => {});
    if (signal.aborted) return;
    const batch = outbox.take();
    onTaken();
    if (batch.messages.length > 0 && !(await sendUntilTaken(options, batch, signal))) return;
    outbox.release(batch);
    onAcknowledged(batch);
  }
}

/** True once the sink took the batch, false when the signal aborted before. */
async function sendUntilTaken(options: DeliveryOptions, batch: Batch, signal: AbortSignal): Promise<boolean> {
  const { sink, clock, random, onTrouble, onRecovered } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await sink.send(batch.messages);
      if (attempt > 0) onRecovered();
      return true;
    } catch (error) {
      if (errorCode(error) === 'KAFKA_REFUSED') throw error;
      if (signal.aborted) return false;
      onTrouble(error);
    }
    await clock.sleep(backoffDelayMs(retryPolicy, attempt, random), signal).catch(() => {});
    if (signal.aborted) return false;
  }
}
