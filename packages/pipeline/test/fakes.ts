import type { Clock } from '@tidemark/kernel';
import {
  type Batch,
  type DeliverableItem,
  everythingNew,
  type Receipt,
  type Sink,
  type SourceRecord,
} from '@tidemark/pipeline';

/** A clock that does not wait: every sleep ends at once and is remembered. */
export class InstantClock implements Clock {
  readonly sleptMs: number[] = [];
  #nowMs = 0;

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleptMs.push(ms);
    this.#nowMs += ms;
  }
}

export function record(offset: bigint, value = ''): SourceRecord {
  return {
    topic: 't',
    partition: 0,
    offset,
    timestampMs: 0,
    key: null,
    value: Buffer.from(value),
    headers: [],
  };
}

export function item<E>(event: E, offset: bigint): DeliverableItem<E> {
  return { record: record(offset), fate: 'deliver', event };
}

/** Consecutive events from offset 0. */
export function batch<E>(events: readonly E[]): Batch<E> {
  return {
    partition: { topic: 't', partition: 0 },
    items: events.map((event, index) => item(event, BigInt(index))),
    span: { from: 0n, to: BigInt(events.length) },
  };
}

/** A sink that does what the test says with each delivery. */
export function sinkOf<E>(
  deliver: (batch: Batch<E>, signal: AbortSignal) => Promise<Receipt | void>,
): Sink<E> {
  return {
    open: async position => position.nextOffset,
    deliver: async (given, signal) => (await deliver(given, signal)) ?? everythingNew,
    close: async () => {},
  };
}

export const never = new AbortController().signal;
