import type { TupleView } from '../protocol/tuple.ts';
import type { TableShape } from '../tables/table-shape.ts';
import type { Visibility } from './visibility.ts';

/** A row that was read from the table, with the text of its key. */
export interface CopiedRow {
  readonly key: string;
  /** The values as the stream would carry them. */
  readonly tuple: TupleView;
}

/** Rows that were read by one statement and wait for their place in the stream. */
export interface Chunk {
  /** What the mark in the stream says. */
  readonly token: string;
  readonly shape: TableShape;
  readonly rows: readonly CopiedRow[];
  /** What the statement saw. */
  readonly visibility: Visibility;
}

/** What becomes of a chunk at its mark. */
export type ChunkOutcome =
  | { readonly kind: 'rows'; readonly shape: TableShape; readonly rows: readonly CopiedRow[] }
  /** Too much of the table changed meanwhile, or a row of which the stream has sent only a part: read again. */
  | { readonly kind: 'again' };

/** Transactions that are remembered; more cannot be committed and yet invisible, because each holds a connection. */
const rememberedMax = 8192;
/** Changed keys that are kept of one transaction; beyond it the chunk is read again instead. */
const keysMax = 50_000;

/** How much of a row stood in the stream: without large values that did not change, it does not replace a read row. */
type Sent = 'whole' | 'in part';

/** The text of a key, by which a row that was read and a row of the stream are recognised as the same. */
export function keyText(shape: TableShape, row: TupleView): string {
  return shape.keyColumns.map(column => row.text(column)).join('\u0000');
}

/**
 * Puts rows that were read from a table into the stream at a place where they are neither older than what was sent
 * before them nor missing what was changed meanwhile. The place is a mark that is written into the log after the read:
 * every transaction that the read saw stands before it. Rows changed by a transaction that stands before the mark but
 * that the read did not see are dropped; the stream has sent their newer state.
 *
 * (The idea of marks in the log is DBLog's, Andreakis and Papapanagiotou, 2020. Comparing snapshots instead of
 * positions is needed in PostgreSQL, where a transaction can stand in the log before others see it.)
 */
export class CopyWindow {
  #xid = 0;
  #watchedOid: number | undefined;
  /** Transactions that began under watch, with the keys that they changed; null when there are too many to tell. */
  readonly #watched = new Map<number, Map<string, Sent> | null>();
  /** Newest transactions whose changes nobody watched, oldest first. */
  #unwatched: number[] = [];
  #chunk: Chunk | undefined;

  /** A transaction begins in the stream. */
  begin(xid: number): void {
    this.#xid = xid;
    if (this.#watchedOid !== undefined) {
      this.#watched.set(xid, new Map());
      return;
    }
    this.#unwatched.push(xid);
    if (this.#unwatched.length > rememberedMax * 2) this.#unwatched = this.#unwatched.slice(-rememberedMax);
  }

  /** A row of a table changes in the stream. */
  changed(relationOid: number, shape: TableShape, row: TupleView): void {
    if (relationOid !== this.#watchedOid) return;
    const keys = this.#watched.get(this.#xid);
    if (keys === undefined || keys === null) return;
    keys.set(keyText(shape, row), row.hasUnchanged ? 'in part' : 'whole');
    if (keys.size > keysMax) this.#watched.set(this.#xid, null);
  }

  /** A table is emptied in the stream. */
  truncated(relationOid: number): void {
    if (relationOid === this.#watchedOid && this.#watched.has(this.#xid)) this.#watched.set(this.#xid, null);
  }

  /** Begins to watch a table. The read comes after. */
  open(relationOid: number): void {
    this.close();
    this.#watchedOid = relationOid;
  }

  /**
   * The rows were read; the mark follows. False when a transaction was sent that nobody watched and that the read did
   * not see: then the rows could be older than what was sent, and the read must be repeated.
   */
  offer(chunk: Chunk): boolean {
    this.#unwatched = this.#unwatched.filter(xid => !chunk.visibility.sees(xid));
    if (this.#unwatched.length > 0) return false;
    this.#chunk = chunk;
    return true;
  }

  /** A mark is reached. Undefined when it belongs to nobody who still waits, as after a crash. */
  reached(token: string): ChunkOutcome | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined || chunk.token !== token) return undefined;
    const unseen = [...this.#watched].flatMap(([xid, keys]) => (chunk.visibility.sees(xid) ? [] : [keys]));
    this.close();
    if (unseen.includes(null)) return { kind: 'again' };
    const rows = chunk.rows.filter(({ key }) => !unseen.some(keys => keys?.has(key)));
    const dropped = rows.length < chunk.rows.length ? chunk.rows : [];
    const lacks = ({ key }: CopiedRow) => unseen.findLast(keys => keys?.has(key))?.get(key) === 'in part';
    return dropped.some(lacks) ? { kind: 'again' } : { kind: 'rows', shape: chunk.shape, rows };
  }

  /** Stops watching. */
  close(): void {
    this.#unwatched.push(...this.#watched.keys());
    this.#watched.clear();
    this.#watchedOid = undefined;
    this.#chunk = undefined;
  }
}
