import { crc32 } from 'node:zlib';

/**
 * TiCDC's partition hash: the XOR of the CRC-32 (IEEE) of groups of bytes, the first group being schema and table, each
 * further one a column's name and value (pingcap/ticdc, pkg/hash and downstreamadapter/sink/eventrouter/partition).
 * The same row goes to the same partition whether TiCDC or Tidemark sends it.
 */
export class PartitionHash {
  readonly #table: number;
  #sum = 0;

  constructor(database: string, table: string) {
    this.#table = crc32(database + table);
  }

  /** Begins a row. */
  reset(): this {
    this.#sum = this.#table;
    return this;
  }

  /**
   * Adds a column.
   * @param nameSum CRC-32 of the column's name, so that it is computed once
   */
  add(nameSum: number, value: Uint8Array): void {
    this.#sum ^= crc32(value, nameSum);
  }

  partition(partitions: number): number {
    return (this.#sum >>> 0) % partitions;
  }
}
