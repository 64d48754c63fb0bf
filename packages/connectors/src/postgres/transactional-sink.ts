import { errorCode } from '@tidemark/kernel';
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

export interface Effects<E> {
  /** Works whatever is in the database already. */
  readonly write: WriteEffects<E>;
  /**
   * A cheaper way that supposes every item to be new, and fails with a unique violation when one is not. Repeats
   * come in bunches, after a crash; in between there are none, and looking for them costs a third of the throughput.
   */
  readonly writeNew?: (transaction: Transaction, items: readonly DeliverableItem<E>[]) => Promise<void>;
}

/** A batch in log order, which is the only kind whose position can be stored with it. */
type OrderedBatch<E> = Batch<E> & { readonly span: OffsetSpan };

/**
 * A sink that writes effects, position and ledger in one transaction, so that they are all there or none is. Whatever
 * happens in between (a crash, a lost answer to COMMIT, another owner), the position tells how far the effects go.
 */
export function transactionalSink<E>(pipeline: string, pool: Pool, effects: Effects<E>): Sink<E> {
  const positions = new Positions(pipeline, pool);
  const optimism = new Optimism();
  const { writeNew } = effects;

  const attempt = async (batch: OrderedBatch<E>, signal: AbortSignal): Promise<Receipt> => {
    if (writeNew && optimism.justified) {
      try {
        const receipt = await transact(batch, signal, async (transaction, items) => {
          await writeNew(transaction, items);
          return everythingNew.duplicates;
        });
        optimism.confirm();
        return receipt;
      } catch (error) {
        if (errorCode(error) !== uniqueViolation) throw error;
        optimism.disappoint();
      }
    }
    return transact(batch, signal, effects.write);
  };

  const transact = (batch: OrderedBatch<E>, signal: AbortSignal, write: WriteEffects<E>): Promise<Receipt> =>
    inTransaction(pool, signal, async transaction => {
      const items = deliverableItems(batch);
      const duplicates = items.length === 0 ? everythingNew.duplicates : await write(transaction, items);
      const receipt = { duplicates };
      const moved = await positions.advance(
        transaction,
        batch.partition,
        batch.span,
        countBatch(batch, receipt),
        batch.parking,
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
    const parking = batch.parking?.filter(step => step.at >= position) ?? [];
    return deliver({ ...batch, items, parking, span: { from: position, to } }, signal);
  };

  return {
    keepsPositions: true,
    open: position => positions.own(position).catch(rethrowClassified),
    deliver: (batch, signal) => deliver(requireSpan(batch), signal),
    close: async partition => positions.disown(partition),
  };
}

/** SQLSTATE unique_violation. */
const uniqueViolation = '23505';

/** Whether to suppose that a batch is new. Each disappointment makes it sceptical for longer, up to a limit. */
class Optimism {
  #scepticalFor = 0;
  #nextPenalty = 1;

  get justified(): boolean {
    if (this.#scepticalFor === 0) return true;
    this.#scepticalFor -= 1;
    return false;
  }

  disappoint(): void {
    this.#scepticalFor = this.#nextPenalty;
    this.#nextPenalty = Math.min(this.#nextPenalty * 2, 256);
  }

  confirm(): void {
    this.#nextPenalty = 1;
  }
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
