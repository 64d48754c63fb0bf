import {
  DeliveryError,
  type LedgerCounts,
  type OffsetSpan,
  type ParkingStep,
  type Position,
  partitionKey,
  type TopicPartition,
} from '@tidemark/pipeline';
import { storeParking } from './parked-keys.ts';
import type { Pool, Transaction } from './pool.ts';

/** A row of `pipeline_positions` as far as an owner needs it. */
interface Stored {
  readonly nextOffset: bigint;
  readonly ownerEpoch: bigint;
}

const takeOwnership = `
  INSERT INTO pipeline_positions AS p (pipeline, topic, partition, next_offset, first_offset, owner_epoch)
  VALUES ($1, $2, $3, $4, $4, 1)
  ON CONFLICT (pipeline, topic, partition)
    DO UPDATE SET owner_epoch = p.owner_epoch + 1, updated_at = now()
  RETURNING next_offset, owner_epoch`;

/** Moves only from the position that the batch begins at and only for the owner: that is the fence and the guard in one. */
const advance = `
  UPDATE pipeline_positions SET
    next_offset = $6, updated_at = now(),
    read = read + $7, delivered = delivered + $8, duplicate = duplicate + $9,
    filtered = filtered + $10, dead_lettered = dead_lettered + $11
  WHERE pipeline = $1 AND topic = $2 AND partition = $3 AND owner_epoch = $4 AND next_offset = $5`;

const readBack = `
  SELECT next_offset, owner_epoch FROM pipeline_positions
  WHERE pipeline = $1 AND topic = $2 AND partition = $3`;

/** The positions and the ledger of one pipeline, kept beside its effects. */
export class Positions {
  readonly #pipeline: string;
  readonly #pool: Pool;
  /** Our epoch by partition. */
  readonly #epochs = new Map<string, bigint>();

  constructor(pipeline: string, pool: Pool) {
    this.#pipeline = pipeline;
    this.#pool = pool;
  }

  /**
   * Makes us the owner: the epoch rises, so a transaction of any earlier owner fails. Resolves with the offset to
   * resume at, which is the group's only when the pipeline never stored one.
   */
  async own({ topic, partition, nextOffset }: Position): Promise<bigint> {
    const { rows } = await this.#pool.query<StoredRow>(takeOwnership, [
      this.#pipeline,
      topic,
      partition,
      nextOffset.toString(),
    ]);
    const stored = parse(rows[0]);
    if (!stored) throw new DeliveryError('down', 'the database returned no position');
    this.#epochs.set(partitionKey({ topic, partition }), stored.ownerEpoch);
    return stored.nextOffset;
  }

  disown(partition: TopicPartition): void {
    this.#epochs.delete(partitionKey(partition));
  }

  /**
   * Advances inside the transaction of the effects, with what the batch does to parked keys; false when somebody
   * else, or an earlier attempt, has moved it.
   */
  async advance(
    transaction: Transaction,
    partition: TopicPartition,
    span: OffsetSpan,
    counts: LedgerCounts,
    parking: readonly ParkingStep[] = [],
  ): Promise<boolean> {
    const { rowCount } = await transaction.query({
      name: 'advance-position',
      text: advance,
      values: [
        this.#pipeline,
        partition.topic,
        partition.partition,
        (this.#epochs.get(partitionKey(partition)) ?? -1n).toString(),
        span.from.toString(),
        span.to.toString(),
        counts.read,
        counts.delivered,
        counts.duplicate,
        counts.filtered,
        counts.deadLettered,
      ],
    });
    if (rowCount !== 1) return false;
    await storeParking(transaction, this.#pipeline, partition, parking);
    return true;
  }

  /**
   * The position as it is now, for a batch that could not advance it.
   * @throws DeliveryError `fenced` when the partition has another owner
   */
  async recheck(partition: TopicPartition): Promise<bigint> {
    const { rows } = await this.#pool.query<StoredRow>(readBack, [
      this.#pipeline,
      partition.topic,
      partition.partition,
    ]);
    const stored = parse(rows[0]);
    if (stored && stored.ownerEpoch === this.#epochs.get(partitionKey(partition))) return stored.nextOffset;
    throw new DeliveryError('fenced', `${partitionKey(partition)} has another owner now`, {
      facts: { ownerEpoch: stored?.ownerEpoch, ourEpoch: this.#epochs.get(partitionKey(partition)) },
    });
  }
}

interface StoredRow {
  readonly next_offset: string;
  readonly owner_epoch: string;
}

function parse(row: StoredRow | undefined): Stored | undefined {
  return row && { nextOffset: BigInt(row.next_offset), ownerEpoch: BigInt(row.owner_epoch) };
}
