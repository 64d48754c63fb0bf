import { ByteWriter, encode, type RowType } from '@tidemark/canal-json';
import type {
  Begin,
  LogicalMessage,
  PgoutputHandler,
  Relation,
  Truncate,
  TypeName,
} from '../protocol/pgoutput.ts';
import type { TupleView } from '../protocol/tuple.ts';
import type { ChunkOutcome } from '../snapshot/copy-window.ts';
import { type ChunkMark, markPrefix } from '../snapshot/copy-lane.ts';
import type { RowForm, TableShape } from '../tables/table-shape.ts';
import type { CommitClock } from './commit-clock.ts';
import type { CommitMark, OutboundMessage } from './outbox.ts';
import { ddlPrefix, type SchemaStatement } from './schema-statements.ts';
import { traceOfRow, tracePrefix, validTraceparent } from './trace-context.ts';

export interface ChangeEncoderOptions {
  readonly changefeed: string;
  readonly partitions: number;
  /** Writes `_tidb.commitTs` into the messages (`enable-tidb-extension`). */
  readonly tidbExtension: boolean;
  readonly clock: CommitClock;
  /** Wall clock, milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** The shape of a table that the stream has described; undefined when its rows are not wanted. */
  readonly shapeOf: (relationOid: number) => TableShape | undefined;
  readonly onRelation: (relation: Relation) => void;
  readonly onType: (type: TypeName) => void;
  readonly emit: (entry: OutboundMessage | CommitMark) => void;
  /** The schema statement that a logical message tells of; undefined when nobody wants it. */
  readonly statementOf: (content: Buffer) => SchemaStatement | undefined;
  /** Finds values of a row that were not sent with it; undefined when it is not there any more. */
  readonly lookUp: (shape: TableShape, row: TupleView, xid: number) => Promise<TupleView | undefined>;
  /** Reads no further message before the work is done. */
  readonly hold: (work: Promise<void>) => void;
  /** Takes part in the stream when tables are copied. */
  readonly copy: CopyHooks;
  /** A transaction with changes has been emitted whole. */
  readonly onCommitted: () => void;
}

/** What copying the existing rows of tables needs to know of the stream, and puts into it. */
export interface CopyHooks {
  begin(xid: number): void;
  changed(relationOid: number, shape: TableShape, row: TupleView): void;
  truncated(relationOid: number): void;
  reached(token: string): { readonly outcome: ChunkOutcome; readonly mark: ChunkMark } | undefined;
}

/** Schema statements go to the first partition of the topic (pingcap/ticdc, downstreamadapter/sink/helper). */
const ddlPartition = 0;

/** A row with what is needed to write it: its own tuple and the tuple that holds what was not sent with it. */
interface RowSource {
  readonly row: TupleView;
  readonly fallback: TupleView | null;
}

/**
 * Turns the messages of pgoutput into Canal-JSON messages. The position of a change is its transaction's commitTs and
 * its index among the rows that the transaction emits; both are the same whenever the transaction is decoded again.
 */
export class ChangeEncoder implements PgoutputHandler {
  readonly #options: ChangeEncoderOptions;
  readonly #out = new ByteWriter();
  #commitMs = 0;
  #commitTs = 0n;
  #index = 0;
  #xid = 0;
  #trace: string | undefined;
  #inTransaction = false;
  #chunk: ChunkMark | undefined;

  constructor(options: ChangeEncoderOptions) {
    this.#options = options;
  }

  /** True between BEGIN and COMMIT. */
  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  begin({ commitMs, xid }: Begin): void {
    this.#options.copy.begin(xid);
    this.#xid = xid;
    this.#chunk = undefined;
    this.#inTransaction = true;
    this.#commitMs = commitMs;
    this.#commitTs = this.#options.clock.propose(commitMs);
    this.#index = 0;
    this.#trace = undefined;
  }

  commit(endLsn: bigint): void {
    this.#inTransaction = false;
    const { clock, emit, onCommitted } = this.#options;
    const hasChanges = this.#index > 0;
    if (hasChanges) onCommitted();
    const commitMs = hasChanges ? this.#commitMs : undefined;
    const chunk = this.#chunk;
    emit({ endLsn, commitTs: clock.newest, commitMs, ...(chunk === undefined ? {} : { chunk }) });
  }

  relation(relation: Relation): void {
    this.#options.onRelation(relation);
  }

  type(type: TypeName): void {
    this.#options.onType(type);
  }

  insert(relationOid: number, row: TupleView): void {
    const shape = this.#options.shapeOf(relationOid);
    if (shape === undefined) return;
    this.#options.copy.changed(relationOid, shape, row);
    this.#send(shape, 'INSERT', { row, fallback: null }, null);
  }

  update(relationOid: number, old: TupleView | null, full: boolean, row: TupleView): void {
    const shape = this.#options.shapeOf(relationOid);
    if (shape === undefined) return;
    const { copy } = this.#options;
    copy.changed(relationOid, shape, row);
    if (old !== null) copy.changed(relationOid, shape, old);
    const fallback = full ? old : null;
    if (old !== null && isAnother(shape, old, row)) {
      this.#sendDelete(shape, old, full);
      if (fallback === null && row.hasUnchanged) this.#sendCompleted(shape, row.copy());
      else this.#send(shape, 'INSERT', { row, fallback }, null);
    } else {
      this.#send(shape, 'UPDATE', { row, fallback }, fallback);
    }
  }

  delete(relationOid: number, old: TupleView, full: boolean): void {
    const shape = this.#options.shapeOf(relationOid);
    if (shape === undefined) return;
    this.#options.copy.changed(relationOid, shape, old);
    this.#sendDelete(shape, old, full);
  }

  truncate({ relationOids }: Truncate): void {
    for (const oid of relationOids) {
      this.#options.copy.truncated(oid);
      const shape = this.#options.shapeOf(oid);
      if (shape === undefined) continue;
      const { database, name: table } = shape;
      const sql = `TRUNCATE TABLE ${quoted(database)}.${quoted(table)}`;
      this.#sendStatement({ type: 'TRUNCATE', database, table, sql });
    }
  }

  message({ transactional, prefix, content }: LogicalMessage): void {
    if (!transactional) return;
    if (prefix === tracePrefix) this.#trace = validTraceparent(content.toString('latin1'));
    if (prefix === ddlPrefix) {
      const statement = this.#options.statementOf(content);
      if (statement !== undefined) this.#sendStatement(statement);
    }
    if (prefix === markPrefix) this.#copyRows(content.toString('latin1'));
  }

  /**
   * The place of rows that were read from a table. The number of the transaction is used up also when nobody waits for
   * the mark any more, so that a repeat numbers what follows as the first time.
   */
  #copyRows(token: string): void {
    const { clock, copy } = this.#options;
    clock.use(this.#commitTs);
    const reached = copy.reached(token);
    if (reached === undefined) return;
    this.#chunk = reached.mark;
    if (reached.outcome.kind !== 'rows') return;
    const { shape, rows } = reached.outcome;
    for (const { tuple } of rows) this.#send(shape, 'INSERT', { row: tuple, fallback: null }, null);
  }

  #sendStatement(statement: SchemaStatement): void {
    const { now, emit } = this.#options;
    const { commitTs, changeId } = this.#nextPosition();
    emit({
      partition: ddlPartition,
      value: encode({ kind: 'ddl', ...statement, esMs: this.#commitMs, tsMs: now(), commitTs }),
      changeId,
      traceparent: this.#trace,
      table: statement.table,
      op: statement.type === 'TRUNCATE' ? 'truncate' : 'ddl',
    });
  }

  /** A row with a new key, of which large values were not sent: nobody downstream could find them under the old one. */
  #sendCompleted(shape: TableShape, row: TupleView): void {
    const { lookUp, hold } = this.#options;
    const sent = lookUp(shape, row, this.#xid).then(found =>
      this.#send(shape, 'INSERT', { row, fallback: found ?? null }, null),
    );
    hold(sent);
  }

  /** A deleted row: whole when the identity is, else only the columns of its key. */
  #sendDelete(shape: TableShape, old: TupleView, full: boolean): void {
    const form = full ? shape.wholeRow : shape.partialRow(column => shape.keyColumns.includes(column));
    this.#write(shape, form, 'DELETE', { row: old, fallback: null }, null, this.#trace);
  }

  #send(shape: TableShape, type: RowType, source: RowSource, old: TupleView | null): void {
    const { row, fallback } = source;
    const isWhole = fallback !== null || !row.hasUnchanged;
    const form = isWhole ? shape.wholeRow : shape.partialRow(column => !row.isUnchanged(column));
    this.#write(shape, form, type, source, old, this.#trace ?? traceOfRow(shape, row, fallback));
  }

  #write(
    shape: TableShape,
    form: RowForm,
    type: RowType,
    { row, fallback }: RowSource,
    old: TupleView | null,
    traceparent: string | undefined,
  ): void {
    const { partitions, now, emit } = this.#options;
    const { commitTs, changeId } = this.#nextPosition();
    form.encoder.encode(
      this.#out,
      type,
      { esMs: this.#commitMs, tsMs: now(), commitTs },
      form.values(row, fallback),
      old === null ? null : form.oldValues(old, row),
    );
    emit({
      partition: shape.place(row, fallback, this.#commitTs, partitions),
      value: this.#out.take(),
      changeId,
      traceparent,
      table: shape.name,
      op: type.toLowerCase(),
    });
  }

  /** The position of the next change. The transaction's number counts as used from its first change on. */
  #nextPosition(): { commitTs: bigint | undefined; changeId: string } {
    const { changefeed, clock, tidbExtension } = this.#options;
    if (this.#index === 0) clock.use(this.#commitTs);
    const changeId = `${changefeed}:${this.#commitTs}:${this.#index}`;
    this.#index += 1;
    return { commitTs: tidbExtension ? this.#commitTs : undefined, changeId };
  }
}

/** A name in MySQL's quotes, which is the SQL that Canal-JSON carries. */
function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** True when nobody downstream could find the row under what it was found by, or in its partition. */
function isAnother(shape: TableShape, old: TupleView, row: TupleView): boolean {
  return shape.splitColumns.some(column => !row.isUnchanged(column) && !row.sameAs(old, column));
}
