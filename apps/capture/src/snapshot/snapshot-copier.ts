import { type Clock, errorCode } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import type { TableShape } from '../tables/table-shape.ts';
import type { ChunkReader, DescribedTable } from './chunk-reader.ts';
import type { ChunkOutcome, CopyWindow } from './copy-window.ts';
import { newCopy, type TableCopy, withCopy } from './table-copy.ts';

export interface SnapshotCopierOptions {
  readonly changefeedId: string;
  /** Distinguishes the marks of this session from those of one that died. */
  readonly sessionToken: string;
  readonly copies: readonly TableCopy[];
  readonly window: CopyWindow;
  readonly openReader: () => Promise<ChunkReader>;
  readonly shapeOf: (table: DescribedTable) => TableShape;
  /** Makes a list durable that has grown. */
  readonly store: (copies: readonly TableCopy[]) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Prefix of the marks in the log. */
export const markPrefix = 'tidemark copy';

/** Bytes that a chunk aims at; the number of rows follows from their size. */
const chunkBytes = 512 * 1024;
const firstLimit = 200;
const limitMax = 5000;
/** Pause before a chunk is read again, milliseconds. */
const againMs = 50;

/** What travels with the mark of a chunk through the outbox; its progress counts once the broker has acknowledged it. */
export interface ChunkMark {
  readonly copy: TableCopy;
}

/**
 * Copies the existing rows of tables into the stream while it flows, chunk by chunk in the order of their keys, one
 * table after another. A restart goes on after the last acknowledged chunk.
 */
export class SnapshotCopier {
  readonly #options: SnapshotCopierOptions;
  #copies: readonly TableCopy[];
  #wake = Promise.withResolvers<void>();
  #marked: { readonly token: string; readonly next: TableCopy } | undefined;
  #outcome = Promise.withResolvers<ChunkOutcome>();
  #acknowledged = Promise.withResolvers<void>();
  #count = 0;

  constructor(options: SnapshotCopierOptions) {
    this.#options = options;
    this.#copies = options.copies;
  }

  /** The copies with their progress as the broker has acknowledged it. */
  get copies(): readonly TableCopy[] {
    return this.#copies;
  }

  /** Asks for tables to be copied from their beginning. */
  async request(tables: readonly { readonly schema: string; readonly name: string }[]): Promise<void> {
    for (const { schema, name } of tables) this.#copies = withCopy(this.#copies, newCopy(schema, name));
    await this.#options.store(this.#copies);
    this.#wake.resolve();
  }

  /** The stream has come to a mark: the rows that belong here, and what follows from their acknowledgement. */
  reached(token: string): { readonly outcome: ChunkOutcome; readonly mark: ChunkMark } | undefined {
    const marked = this.#marked;
    const outcome = this.#options.window.reached(token);
    if (outcome === undefined || marked?.token !== token) return undefined;
    const copy =
      outcome.kind === 'rows'
        ? { ...marked.next, rows: marked.next.rows + outcome.rows.length }
        : marked.next;
    this.#outcome.resolve(outcome);
    return { outcome, mark: { copy } };
  }

  /** The broker has acknowledged a chunk. */
  acknowledged({ copy }: ChunkMark): void {
    this.#copies = withCopy(this.#copies, copy);
    this.#acknowledged.resolve();
  }

  /** Copies what is wanted, and waits for more, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>(resolve =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    while (!signal.aborted) {
      const copy = this.#copies.find(each => !each.isDone);
      if (copy === undefined) {
        await Promise.race([this.#wake.promise, aborted]);
        this.#wake = Promise.withResolvers();
      } else {
        await this.#copyTable(copy, signal, aborted);
      }
    }
  }

  async #copyTable(first: TableCopy, signal: AbortSignal, aborted: Promise<void>): Promise<void> {
    const { openReader, shapeOf, logger, changefeedId } = this.#options;
    const place = { changefeed: changefeedId, table: `${first.schema}.${first.name}` };
    logger.info({ ...place, rows: first.rows }, 'copying the rows of a table');
    const reader = await openReader();
    try {
      if (first.after === null) await this.#settle(reader, signal);
      let limit = firstLimit;
      for (let copy = first; !copy.isDone && !signal.aborted; ) {
        const table = await reader.describe(copy.schema, copy.name);
        const shape = table === undefined ? undefined : shapeOf(table);
        if (table === undefined || shape === undefined || shape.keyColumns.length === 0) {
          logger.warn(place, 'a table without a key, or that is gone, cannot be copied');
          copy = { ...copy, isDone: true };
          this.#copies = withCopy(this.#copies, copy);
          await this.#options.store(this.#copies);
          return;
        }
        limit = await this.#copyChunk(reader, table, shape, copy, limit, aborted);
        copy = this.#copies.find(each => each.schema === first.schema && each.name === first.name) ?? copy;
      }
      if (!signal.aborted) logger.info(place, 'copied the rows of a table');
    } catch (error) {
      // The table was altered between the look at it and the read; the next look sees it as it is.
      if (errorCode(error) !== undefinedColumn) throw error;
    } finally {
      await reader.close();
    }
  }

  /**
   * Waits for every transaction that is under way to end. One that began before the table was published could have
   * written rows that neither the stream carries nor a read before its commit sees.
   */
  async #settle(reader: ChunkReader, signal: AbortSignal): Promise<void> {
    const { xmax } = await reader.visibility();
    while (!signal.aborted && (await reader.visibility()).xmin < xmax) {
      await this.#options.clock.sleep(againMs, signal).catch(() => {});
    }
  }

  /** Copies one chunk and waits for its acknowledgement; answers how many rows the next one should have. */
  async #copyChunk(
    reader: ChunkReader,
    table: DescribedTable,
    shape: TableShape,
    copy: TableCopy,
    limit: number,
    aborted: Promise<void>,
  ): Promise<number> {
    const { window, clock, sessionToken } = this.#options;
    window.open(table.relation.oid);
    const chunk = await reader.read(table, shape, copy.after, limit);
    this.#count += 1;
    const token = `${sessionToken}:${this.#count}`;
    if (!window.offer({ token, shape, rows: chunk.rows, visibility: chunk.visibility })) {
      window.close();
      await clock.sleep(againMs);
      return limit;
    }
    const next = { ...copy, after: chunk.last ?? copy.after, isDone: chunk.rows.length < limit };
    this.#marked = { token, next };
    this.#outcome = Promise.withResolvers();
    this.#acknowledged = Promise.withResolvers();
    await reader.mark(markPrefix, token);
    const outcome = await Promise.race([this.#outcome.promise, aborted]);
    if (outcome?.kind === 'rows') await Promise.race([this.#acknowledged.promise, aborted]);
    const rowBytes = Math.max(1, chunk.bytes / Math.max(1, chunk.rows.length));
    return Math.max(1, Math.min(limitMax, limit * 2, Math.floor(chunkBytes / rowBytes)));
  }
}

/** SQLSTATE of a column that is not there. */
const undefinedColumn = '42703';
