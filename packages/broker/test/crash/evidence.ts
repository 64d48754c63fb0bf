import assert from 'node:assert/strict';
import type { ReadRecord } from './partition-reader.ts';

const placeOf = (partition: number, offset: number): string => `${partition}/${offset}`;

/** Everything clients were told or shown while brokers lived and died: what has to hold afterwards. */
export class Evidence {
  /** Place → key, of records that were acknowledged or read. No place may ever hold two. */
  readonly #records = new Map<string, string>();
  /** Transactions whose commit was acknowledged. */
  readonly #committed = new Set<string>();
  /** Transactions whose commit was asked for when the broker died: whole or absent. */
  readonly #undecided = new Set<string>();
  /** The newest offset whose commit for the group was acknowledged. */
  #committedOffset = -1;
  #acknowledgements = 0;
  /** Told how many acknowledgements there were, at each one. */
  onAcknowledged: (count: number) => void = () => {};

  get size(): number {
    return this.#records.size;
  }

  get committedOffset(): number {
    return this.#committedOffset;
  }

  set committedOffset(offset: number) {
    this.#committedOffset = offset;
    this.acknowledged();
  }

  /** The broker has answered that something is done. */
  acknowledged(): void {
    this.#acknowledgements += 1;
    this.onAcknowledged(this.#acknowledgements);
  }

  /** A record was acknowledged or read at its place. */
  saw(partition: number, offset: number, key: string): void {
    const place = placeOf(partition, offset);
    const before = this.#records.get(place);
    assert.ok(before === undefined || before === key, `offset ${place} held ${before}, then ${key}`);
    this.#records.set(place, key);
  }

  commitsNow(transaction: string): void {
    this.#undecided.add(transaction);
  }

  committed(transaction: string): void {
    this.#undecided.delete(transaction);
    this.#committed.add(transaction);
  }

  /** Compares with all records of each partition, decided or not. */
  verifyRecords(partitions: readonly (readonly ReadRecord[])[]): void {
    const found = new Map(
      partitions.flatMap((records, partition) =>
        records.map(({ offset, key }) => [placeOf(partition, offset), key] as const),
      ),
    );
    for (const [place, key] of this.#records) {
      assert.equal(found.get(place), key, `${key} was acknowledged or read at ${place}`);
    }
  }

  /** Compares with what a reader of committed data gets. A transaction writes one record to every partition. */
  verifyTransactions(partitions: readonly (readonly ReadRecord[])[]): void {
    const copies = new Map<string, number>();
    for (const { key } of partitions.flat()) copies.set(key, (copies.get(key) ?? 0) + 1);
    for (const name of this.#committed) {
      assert.equal(copies.get(name), partitions.length, `${name} was committed`);
    }
    for (const [name, count] of copies) {
      if (!name.startsWith('txn-') || this.#committed.has(name)) continue;
      assert.ok(this.#undecided.has(name), `${name} was aborted and is read`);
      assert.equal(count, partitions.length, `${name} is neither whole nor absent`);
    }
  }
}
