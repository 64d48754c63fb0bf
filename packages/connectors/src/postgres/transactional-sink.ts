import {
  type Batch,
  countBatch,
  type DeliverableItem,
  DeliveryError,
  deliverableItems,
  everythingNew,
  type OffsetSpan,
  type Receipt,
  type Sink,
} from '@tidemark/pipeline';
import { classify } from './classify.ts';
import { inTransaction, type Pool, type Transaction } from './pool.ts';
import { Positions } from './positions.ts';

/**
 * Writes the effects of these items inside a transaction and returns the offsets of those whose effect was there
 * before. Called with at least one item.
 */
export type WriteEffects<E> = (
  transaction: Transaction,
  items: readonly DeliverableItem<E>[],
) => Promise<ReadonlySet<bigint>>;

/** A batch in log order, which is the only kind whose position can be stored with it. */
type OrderedBatch<E> = Batch<E> & { readonly span: OffsetSpan };

/**
 * A sink that writes effects, position and ledger in one transaction, so that they are all there or none is. Whatever
 * happens in between (a crash, a lost answer to COMMIT, another owner), the position tells how far the effects go.
 */
export function transactionalSink<E>(pipeline: string, pool: Pool, write: WriteEffects<E>): Sink<E> {
  const positions = new Positions(pipeline, pool);

  const attempt = (batch: OrderedBatch<E>, signal: AbortSignal): Promise<Receipt> =>
    inTransaction(pool, signal, async transaction => {
      const items = deliverableItems(batch);
      const duplicates = items.length === 0 ? everythingNew.duplicates : await write(transaction, items);
      const receipt = { duplicates };
      const moved = await positions.advance(
        transaction,
        batch.partition,
        batch.span,
        countBatch(batch, receipt),
      );
      if (!moved) throw new PositionMoved();
      return receipt;
    });

  const deliver = async (batch: OrderedBatch<E>, signal: AbortSignal): Promise<Receipt> => {
    try {
      return await attempt(batch, signal);
    } catch (error) {
      if (!(error instanceof PositionMoved)) throw classify(error);
      return deliverRest(batch, await positions.recheck(batch.partition).catch(rethrowClassified), signal);
    }
  };

  /** An earlier attempt took effect up to `position` although its answer was lost; what remains is delivered. */
  const deliverRest = async (
    batch: OrderedBatch<E>,
    position: bigint,
    signal: AbortSignal,
  ): Promise<Receipt> => {
    const { from, to } = batch.span;
    if (position === to) return everythingNew;
    if (position < from || position > to) {
      throw new DeliveryError(
        'fenced',
        `the position is ${position}, outside the batch from ${from} to ${to}`,
      );
    }
    const items = batch.items.filter(item => item.record.offset >= position);
    return deliver({ ...batch, items, span: { from: position, to } }, signal);
  };

  return {
    open: position => positions.own(position).catch(rethrowClassified),
    deliver: (batch, signal) => deliver(requireSpan(batch), signal),
    close: async partition => positions.disown(partition),
  };
}

/** The position is not where the batch begins. Rolls the transaction back. */
class PositionMoved extends Error {}

function rethrowClassified(error: unknown): never {
  throw classify(error);
}

function requireSpan<E>(batch: Batch<E>): OrderedBatch<E> {
  if (batch.span === undefined) {
    throw new TypeError('a sink that stores positions needs the order unit "partition"');
  }
  return { ...batch, span: batch.span };
}
