import type { Clock } from '@tidemark/kernel';
import type { TableShape } from '../tables/table-shape.ts';
import type { ChunkReader, DescribedTable } from './chunk-reader.ts';
import { type ChunkOutcome, CopyWindow } from './copy-window.ts';
import type { KeyRange, RangeProgress } from './table-copy.ts';

export interface CopyLaneOptions {
  /** Distinguishes the marks of this lane from those of others and of sessions that died. */
  readonly token: string;
  readonly clock: Clock;
}

/** Prefix of the marks in the log. */
export const markPrefix = 'tidemark copy';

/** Bytes that a chunk aims at; the number of rows follows from their size. */
const chunkBytes = 512 * 1024;
export const firstLimit = 200;
const limitMax = 5000;
/** Pause before a chunk is read again, milliseconds. */
export const againMs = 50;

/** What travels with the mark of a chunk through the outbox; its progress counts once the broker has acknowledged it. */
export interface ChunkMark {
  readonly token: string;
  /** The attempt at the table that it belongs to. */
  readonly attempt: number;
  readonly progress: RangeProgress;
}

/** The rows of a range that come next. */
export interface ChunkRequest {
  readonly reader: ChunkReader;
  readonly table: DescribedTable;
  readonly shape: TableShape;
  readonly keyRange: KeyRange;
  /** Place of the range in its table's list. */
  readonly range: number;
  readonly attempt: number;
  readonly limit: number;
  /** Resolves when nobody waits any more. */
  readonly aborted: Promise<void>;
}

/** Puts chunks of rows into the stream, one after the other; several lanes work side by side. */
export class CopyLane {
  readonly window = new CopyWindow();
  readonly #options: CopyLaneOptions;
  #marked: ChunkMark | undefined;
  #outcome = Promise.withResolvers<ChunkOutcome>();
  #acknowledged = Promise.withResolvers<void>();
  #count = 0;

  constructor(options: CopyLaneOptions) {
    this.#options = options;
  }

  /** The stream has come to a mark: the rows that belong here, and what follows from their acknowledgement. */
  reached(token: string): { readonly outcome: ChunkOutcome; readonly mark: ChunkMark } | undefined {
    const marked = this.#marked;
    const outcome = this.window.reached(token);
    if (outcome === undefined || marked?.token !== token) return undefined;
    const rows = outcome.kind === 'rows' ? outcome.rows.length : 0;
    this.#outcome.resolve(outcome);
    return { outcome, mark: { ...marked, progress: { ...marked.progress, rows } } };
  }

  /** The broker has acknowledged a chunk, of whichever lane. */
  acknowledged({ token }: ChunkMark): void {
    if (token === this.#marked?.token) this.#acknowledged.resolve();
  }

  /** Sends one chunk and waits for its acknowledgement; answers how many rows the next one should have. */
  async copyChunk(request: ChunkRequest): Promise<number> {
    const { reader, table, shape, keyRange, limit, aborted } = request;
    const { clock } = this.#options;
    this.window.open(table.relation.oid);
    const chunk = await reader.read(table, shape, keyRange, limit);
    this.#count += 1;
    const token = `${this.#options.token}:${this.#count}`;
    if (!this.window.offer({ token, shape, rows: chunk.rows, visibility: chunk.visibility })) {
      this.window.close();
      await clock.sleep(againMs);
      return limit;
    }
    this.#mark(token, request, chunk.last, chunk.rows.length < limit);
    await reader.mark(markPrefix, token);
    const outcome = await Promise.race([this.#outcome.promise, aborted]);
    // A smaller chunk is less likely to be overtaken again.
    if (outcome?.kind !== 'rows') return Math.max(1, limit >> 1);
    await Promise.race([this.#acknowledged.promise, aborted]);
    const rowBytes = Math.max(1, chunk.bytes / Math.max(1, chunk.rows.length));
    return Math.max(1, Math.min(limitMax, limit * 2, Math.floor(chunkBytes / rowBytes)));
  }

  #mark(token: string, request: ChunkRequest, last: KeyRange['after'], isDone: boolean): void {
    const { schema, name } = request.table.relation;
    const { range, attempt, keyRange } = request;
    const after = last ?? keyRange.after;
    this.#marked = { token, attempt, progress: { schema, name, range, after, isDone, rows: 0 } };
    this.#outcome = Promise.withResolvers();
    this.#acknowledged = Promise.withResolvers();
  }
}
