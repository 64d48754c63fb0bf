import { ByteWriter, type RowType } from '@tidemark/canal-json';
import type {
  Begin,
  LogicalMessage,
  PgoutputHandler,
  Relation,
  Truncate,
  TypeName,
} from '../protocol/pgoutput.ts';
import type { TupleView } from '../protocol/tuple.ts';
import type { TableShape } from '../tables/table-shape.ts';
import type { CommitClock } from './commit-clock.ts';
import type { CommitMark, OutboundMessage } from './outbox.ts';
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
}

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
  #trace: string | undefined;
  #inTransaction = false;

  constructor(options: ChangeEncoderOptions) {
    this.#options = options;
  }

  /** True between BEGIN and COMMIT. */
  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  begin({ commitMs }: Begin): void {
    this.#inTransaction = true;
    this.#commitMs = commitMs;
    this.#commitTs = this.#options.clock.propose(commitMs);
    this.#index = 0;
    this.#trace = undefined;
  }

  commit(endLsn: bigint): void {
    this.#inTransaction = false;
    const commitMs = this.#index > 0 ? this.#commitMs : undefined;
    this.#options.emit({ endLsn, commitTs: this.#options.clock.newest, commitMs });
  }

  relation(relation: Relation): void {
    this.#options.onRelation(relation);
  }

  type(type: TypeName): void {
    this.#options.onType(type);
  }

  insert(relationOid: number, row: TupleView): void {
    const shape = this.#options.shapeOf(relationOid);
    if (shape !== undefined) this.#send(shape, 'INSERT', { row, fallback: null }, null);
  }

  update(relationOid: number, old: TupleView | null, full: boolean, row: TupleView): void {
    const shape = this.#options.shapeOf(relationOid);
    if (shape === undefined) return;
    const fallback = full ? old : null;
    if (old !== null && keyChanged(shape, old, row)) {
      this.#sendDelete(shape, old, full);
      this.#send(shape, 'INSERT', { row, fallback }, null);
    } else {
      this.#send(shape, 'UPDATE', { row, fallback }, fallback);
    }
  }

  delete(relationOid: number, old: TupleView, full: boolean): void {
    const shape = this.#options.shapeOf(relationOid);
    if (shape !== undefined) this.#sendDelete(shape, old, full);
  }

  truncate(_truncate: Truncate): void {
    // Canal-JSON has no row form of it; consumers learn of it by the DDL message that a later stage sends.
  }

  message({ transactional, prefix, content }: LogicalMessage): void {
    if (transactional && prefix === tracePrefix) this.#trace = validTraceparent(content.toString('latin1'));
  }

  /** A deleted row: whole when the identity is, else only the columns of its key. */
  #sendDelete(shape: TableShape, old: TupleView, full: boolean): void {
    const isKnown = full ? null : (column: number) => shape.keyColumns.includes(column);
    this.#write(shape, 'DELETE', { row: old, fallback: null }, null, isKnown, this.#trace);
  }

  #send(shape: TableShape, type: RowType, source: RowSource, old: TupleView | null): void {
    const { row, fallback } = source;
    const isKnown =
      fallback === null && row.hasUnchanged ? (column: number) => !row.isUnchanged(column) : null;
    const trace = this.#trace ?? traceOfRow(shape, row, fallback);
    this.#write(shape, type, source, old, isKnown, trace);
  }

  #write(
    shape: TableShape,
    type: RowType,
    { row, fallback }: RowSource,
    old: TupleView | null,
    isKnown: ((column: number) => boolean) | null,
    traceparent: string | undefined,
  ): void {
    const { changefeed, partitions, tidbExtension, clock, now, emit } = this.#options;
    if (this.#index === 0) clock.use(this.#commitTs);
    const encoder = isKnown === null ? shape.encoder : shape.encoderFor(isKnown);
    encoder.encode(
      this.#out,
      type,
      { esMs: this.#commitMs, tsMs: now(), commitTs: tidbExtension ? this.#commitTs : undefined },
      shape.values(row, fallback, isKnown),
      old === null ? null : shape.values(old, null, isKnown),
    );
    emit({
      partition: shape.partition(row, fallback, partitions),
      value: this.#out.take(),
      changeId: `${changefeed}:${this.#commitTs}:${this.#index}`,
      traceparent,
      table: shape.name,
      op: type.toLowerCase(),
    });
    this.#index += 1;
  }
}

function keyChanged(shape: TableShape, old: TupleView, row: TupleView): boolean {
  return shape.keyColumns.some(column => !row.isUnchanged(column) && !row.sameAs(old, column));
}
