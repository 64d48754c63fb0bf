import { type Clock, errorCode } from '@tidemark/kernel';
import { TupleView, tupleBytes } from '../protocol/tuple.ts';
import type { TableShape } from '../tables/table-shape.ts';
import type { ChunkReader } from './chunk-reader.ts';

export interface RowLookupOptions {
  readonly openReader: () => Promise<ChunkReader>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Pause before the snapshot is asked again, milliseconds. */
const againMs = 10;

/** SQLSTATE of a column, a table or a schema that is not there any more. */
const isGone = new Set(['42703', '42P01', '3F000']);

/**
 * Looks up large values that the server did not send because they did not change, for the one case in which nobody
 * downstream can know them: a row whose key has changed, in a table whose replica identity is not the full row. The
 * value is that of now. When it has changed since, the stream carries the newer value anyway; when the row is gone or
 * has another key by now, the stream carries that.
 */
export class RowLookup {
  readonly #options: RowLookupOptions;
  #reader: Promise<ChunkReader> | undefined;
  /** The newest transaction that is known to be visible. */
  #seenXid: number | undefined;

  constructor(options: RowLookupOptions) {
    this.#options = options;
  }

  /**
   * @param xid the transaction that changed the row; the log can show it before the database does
   * @returns the row in the columns of its table; undefined when it is not there any more
   */
  async find(shape: TableShape, row: TupleView, xid: number): Promise<TupleView | undefined> {
    const { openReader, clock, signal } = this.#options;
    this.#reader ??= openReader();
    const reader = await this.#reader;
    while (xid !== this.#seenXid && !(await reader.visibility()).sees(xid))
      await clock.sleep(againMs, signal);
    this.#seenXid = xid;
    const { relation, keyColumns } = shape;
    const key = keyColumns.map(column => ({
      name: relation.columns[column]?.name ?? '',
      value: row.text(column) ?? '',
    }));
    const values = await reader.row(relation, key).catch((error: unknown) => {
      if (isGone.has(errorCode(error) ?? '')) return undefined;
      throw error;
    });
    if (values === undefined) return undefined;
    const found = new TupleView();
    found.read(tupleBytes(values), 0);
    return found;
  }

  async close(): Promise<void> {
    const reader = await this.#reader?.catch(() => undefined);
    await reader?.close();
  }
}
