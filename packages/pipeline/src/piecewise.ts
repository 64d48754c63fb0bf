import { type Batch, type OffsetSpan } from './batch.ts';
import { mergeReceipts } from './bisect.ts';
import type { Item } from './item.ts';
import type { ParkingRules } from './parked-key.ts';
import { everythingNew, type Receipt, type Sink, wrapDeliver } from './sink.ts';

/**
 * Delivers a batch in pieces such that the letters of a key are written in log order: an event that becomes a letter
 * for certain, or may become one, waits until what its key has before it in the batch is delivered or a letter itself.
 * Whoever deals with dead letters relies on that order.
 */
export function piecewise<E>(inner: Sink<E>, rules: ParkingRules): Sink<E> {
  return wrapDeliver(inner, async (batch, signal) => {
    let receipt: Receipt = everythingNew;
    for (const piece of cutPieces(batch, rules)) {
      receipt = mergeReceipts(receipt, await inner.deliver(piece, signal));
    }
    return receipt;
  });
}

/** Pieces of the batch; their spans meet. */
export function cutPieces<E>(batch: Batch<E>, rules: ParkingRules): Batch<E>[] {
  const cuts: number[] = [];
  /** Keys with an event to be delivered in the piece so far; true when one of them was sent back. */
  let open = new Map<string, boolean>();
  for (const [index, item] of batch.items.entries()) {
    const key = rules.keyOf(item.record);
    if (key === undefined) continue;
    const before = open.get(key);
    if (before === true || (before === false && item.fate === 'rejected')) {
      cuts.push(index);
      open = new Map();
    }
    if (item.fate === 'deliver') open.set(key, rules.replayOf(item.record) !== undefined);
  }
  return cuts.length === 0 ? [batch] : cutAt(batch, cuts);
}

function cutAt<E>({ partition, items, span }: Batch<E>, cuts: readonly number[]): Batch<E>[] {
  return [0, ...cuts].map((start, index) => {
    const part = items.slice(start, cuts[index] ?? items.length);
    return { partition, items: part, span: span && spanOf(items, start, cuts[index], span) };
  });
}

function spanOf<E>(
  items: readonly Item<E>[],
  start: number,
  end: number | undefined,
  span: OffsetSpan,
): OffsetSpan {
  const from = start === 0 ? span.from : (items[start]?.record.offset ?? span.from);
  const to = end === undefined ? span.to : (items[end]?.record.offset ?? span.to);
  return { from, to };
}
