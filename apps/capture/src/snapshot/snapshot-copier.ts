import { type Clock, errorCode } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import type { TupleView } from '../protocol/tuple.ts';
import type { TableShape } from '../tables/table-shape.ts';
import type { ChunkReader, DescribedTable } from './chunk-reader.ts';
import { againMs, type ChunkMark, CopyLane, firstLimit } from './copy-lane.ts';
import type { ChunkOutcome } from './copy-window.ts';
import { advanced, isCopyOf, newCopy, type TableCopy, withCopy, withoutSecretKeys } from './table-copy.ts';

export interface SnapshotCopierOptions {
  readonly changefeedId: string;
  /** Distinguishes the marks of this session from those of one that died. */
  readonly sessionToken: string;
  readonly copies: readonly TableCopy[];
  readonly openReader: () => Promise<ChunkReader>;
  readonly shapeOf: (table: DescribedTable) => TableShape;
  /** Makes a list durable that has grown. */
  readonly store: (copies: readonly TableCopy[]) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Ranges of a table that are copied at a time. */
const laneCount = 4;

/** A table on its way. */
interface Work {
  readonly schema: string;
  readonly name: string;
  readonly attempt: number;
  /** Ranges that a lane has taken. */
  readonly taken: Set<number>;
  readonly signal: AbortSignal;
  readonly aborted: Promise<void>;
}

/**
 * Copies the existing rows of tables into the stream while it flows, one table after another: ranges of a table side by
 * side, each chunk by chunk in the order of the key. A restart goes on after the last acknowledged chunk of each range.
 */
export class SnapshotCopier {
  readonly #options: SnapshotCopierOptions;
  readonly #lanes: readonly CopyLane[];
  #copies: readonly TableCopy[];
  #wake = Promise.withResolvers<void>();
  #attempt = 0;

  constructor(options: SnapshotCopierOptions) {
    const { sessionToken, clock } = options;
    this.#options = options;
    this.#copies = options.copies;
    this.#lanes = Array.from(
      { length: laneCount },
      (_, at) => new CopyLane({ token: `${sessionToken}/${at}`, clock }),
    );
  }

  /** The copies with their progress as the broker has acknowledged it. */
  get copies(): readonly TableCopy[] {
    return this.#copies.map(withoutSecretKeys);
  }

  /** Asks for tables to be copied from their beginning. */
  async request(tables: readonly { readonly schema: string; readonly name: string }[]): Promise<void> {
    this.#attempt += 1; // what is on its way belongs to an attempt that does not count any more
    for (const { schema, name } of tables) this.#copies = withCopy(this.#copies, newCopy(schema, name));
    await this.#options.store(this.copies);
    this.#wake.resolve();
  }

  /** A transaction begins in the stream. */
  begin(xid: number): void {
    for (const { window } of this.#lanes) window.begin(xid);
  }

  /** A row changes in the stream. */
  changed(relationOid: number, shape: TableShape, row: TupleView): void {
    for (const { window } of this.#lanes) window.changed(relationOid, shape, row);
  }

  /** A table is emptied in the stream. */
  truncated(relationOid: number): void {
    for (const { window } of this.#lanes) window.truncated(relationOid);
  }

  /** The stream has come to a mark: the rows that belong here, and what follows from their acknowledgement. */
  reached(token: string): { readonly outcome: ChunkOutcome; readonly mark: ChunkMark } | undefined {
    for (const lane of this.#lanes) {
      const reached = lane.reached(token);
      if (reached !== undefined) return reached;
    }
    return undefined;
  }

  /** The broker has acknowledged a chunk. */
  acknowledged(mark: ChunkMark): void {
    const copy = this.#copies.find(each => isCopyOf(each, mark.progress));
    if (copy !== undefined && mark.attempt === this.#attempt) {
      this.#copies = withCopy(this.#copies, advanced(copy, mark.progress));
    }
    for (const lane of this.#lanes) lane.acknowledged(mark);
  }

  /** Copies what is wanted, and waits for more, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const aborted = whenAborted(signal);
    while (!signal.aborted) {
      const copy = this.#copies.find(each => !each.isDone);
      if (copy === undefined) {
        await Promise.race([this.#wake.promise, aborted]);
        this.#wake = Promise.withResolvers();
      } else {
        await this.#copyTable(copy, signal);
      }
    }
  }

  async #copyTable(copy: TableCopy, signal: AbortSignal): Promise<void> {
    const { logger, changefeedId } = this.#options;
    const place = { changefeed: changefeedId, table: `${copy.schema}.${copy.name}` };
    logger.info({ ...place, rows: copy.rows }, 'copying the rows of a table');
    this.#attempt += 1;
    const attempt = this.#attempt;
    if (!(await this.#prepare(copy, attempt, signal))) {
      logger.warn(place, 'a table without a key, or that is gone, cannot be copied');
      return;
    }
    const failed = new AbortController();
    const ending = AbortSignal.any([signal, failed.signal]);
    const aborted = whenAborted(ending);
    const work = { ...copy, attempt, taken: new Set<number>(), signal: ending, aborted };
    const lanes = this.#lanes.map(lane => this.#runLane(lane, work));
    for (const lane of lanes) lane.catch(() => failed.abort());
    await Promise.allSettled(lanes);
    await Promise.all(lanes);
    if (this.#find(copy)?.isDone === true) logger.info(place, 'copied the rows of a table');
  }

  /** Cuts the table into ranges unless that was done before. False when it cannot be copied at all. */
  async #prepare(copy: TableCopy, attempt: number, signal: AbortSignal): Promise<boolean> {
    const reader = await this.#options.openReader();
    try {
      const described = await this.#describe(reader, copy);
      let next: TableCopy = { ...copy, isDone: true };
      if (described !== undefined) {
        // What is kept of an older form has no ranges and begins anew.
        if (Array.isArray(copy.ranges)) return true;
        await this.#settle(reader, signal);
        const { table, shape } = described;
        const ranges = await reader.ranges(table, shape);
        next = { ...copy, rows: 0, ranges, ...(shape.hasSecretKey ? { hasSecretKey: true } : {}) };
      }
      if (attempt !== this.#attempt) return true;
      this.#copies = withCopy(this.#copies, next);
      await this.#options.store(this.copies);
      return described !== undefined;
    } finally {
      await reader.close();
    }
  }

  /** Copies ranges that no other lane has taken, until there is none. */
  async #runLane(lane: CopyLane, work: Work): Promise<void> {
    const range = this.#takeRange(work);
    if (range === undefined) return;
    const reader = await this.#options.openReader();
    try {
      for (let at: number | undefined = range; at !== undefined; at = this.#takeRange(work)) {
        await this.#copyRange(lane, reader, work, at);
      }
    } catch (error) {
      // The table was altered between the look at it and the read; the next look sees it as it is.
      if (errorCode(error) !== undefinedColumn) throw error;
    } finally {
      await reader.close();
    }
  }

  #takeRange(work: Work): number | undefined {
    if (work.signal.aborted || work.attempt !== this.#attempt) return undefined;
    const ranges = this.#find(work)?.ranges ?? [];
    const free = ranges.findIndex((range, at) => !range.isDone && !work.taken.has(at));
    if (free < 0) return undefined;
    work.taken.add(free);
    return free;
  }

  async #copyRange(lane: CopyLane, reader: ChunkReader, work: Work, range: number): Promise<void> {
    const { attempt, aborted, signal } = work;
    let limit = firstLimit;
    while (!signal.aborted && attempt === this.#attempt) {
      const keyRange = this.#find(work)?.ranges?.[range];
      if (keyRange === undefined || keyRange.isDone) return;
      const described = await this.#describe(reader, work);
      if (described === undefined) return this.#giveUp(work);
      limit = await lane.copyChunk({ ...described, reader, keyRange, range, attempt, limit, aborted });
    }
  }

  /** A table that went away while it was copied. */
  async #giveUp(work: Work): Promise<void> {
    const copy = this.#find(work);
    if (copy === undefined || work.attempt !== this.#attempt) return;
    this.#copies = withCopy(this.#copies, { ...copy, isDone: true });
    await this.#options.store(this.copies);
  }

  #find(table: Pick<TableCopy, 'schema' | 'name'>): TableCopy | undefined {
    return this.#copies.find(each => isCopyOf(each, table));
  }

  /** The table as it is now; undefined when it is gone or nothing tells its rows apart. */
  async #describe(reader: ChunkReader, { schema, name }: Pick<TableCopy, 'schema' | 'name'>) {
    const table = await reader.describe(schema, name);
    const shape = table === undefined ? undefined : this.#options.shapeOf(table);
    if (table === undefined || shape === undefined || shape.keyColumns.length === 0) return undefined;
    return { table, shape };
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
}

function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** SQLSTATE of a column that is not there. */
const undefinedColumn = '42703';
