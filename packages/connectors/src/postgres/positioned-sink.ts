import { countBatch, DeliveryError, type Sink } from '@tidemark/pipeline';
import { classify } from './classify.ts';
import { inTransaction, type Pool } from './pool.ts';
import { Positions } from './positions.ts';

/**
 * Keeps position, ledger and parked keys in the database for a sink whose effects lie elsewhere. They follow the effects, so a
 * crash in between repeats a batch; but they are one transaction, so that a key is parked exactly when the event that
 * parks it has been passed, and an owner that lost the partition stores nothing any more.
 */
export function positionedSink<E>(pipeline: string, pool: Pool, inner: Sink<E>): Sink<E> {
  const positions = new Positions(pipeline, pool);
  const classified = (error: unknown): never => {
    throw classify(error);
  };
  return {
    keepsPositions: true,
    async open(position, signal) {
      const nextOffset = await positions.own(position).catch(classified);
      return inner.open({ ...position, nextOffset }, signal);
    },
    async deliver(batch, signal) {
      const { partition, span, parking } = batch;
      if (!span) throw new TypeError('a sink that stores positions needs the order unit "partition"');
      const receipt = await inner.deliver(batch, signal);
      const counts = countBatch(batch, receipt);
      const moved = await inTransaction(pool, signal, transaction =>
        positions.advance(transaction, partition, span, counts, parking),
      ).catch(classified);
      if (moved) return receipt;
      // An earlier attempt whose answer was lost has stored the same; anything else is somebody else's doing.
      const position = await positions.recheck(partition).catch(classified);
      if (position === span.to) return receipt;
      throw new DeliveryError('fenced', `the position is ${position}, not ${span.from}`);
    },
    async close(partition) {
      positions.disown(partition);
      await inner.close(partition);
    },
  };
}
