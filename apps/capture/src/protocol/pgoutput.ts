import { TupleView } from './tuple.ts';
import { readClockMs } from './wal-frame.ts';

/** Replica identity of a table: default (primary key), nothing, full row, or an index. */
export type ReplicaIdentity = 'd' | 'n' | 'f' | 'i';

export interface RelationColumn {
  readonly name: string;
  /** Part of the replica identity; every column is when the identity is the full row. */
  readonly isKey: boolean;
  readonly typeOid: number;
  /** -1 when the type has no modifier. */
  readonly typeModifier: number;
}

/** Description of a table, sent before its first row in a session and again after every change to it. */
export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly replicaIdentity: ReplicaIdentity;
  readonly columns: readonly RelationColumn[];
}

/** Name of a type that is not built in; for a domain, the name of its base type. */
export interface TypeName {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

export interface Begin {
  /** LSN of the commit record. */
  readonly commitLsn: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly commitMs: number;
  /** The lower 32 bits of the transaction's number. */
  readonly xid: number;
}

export interface Truncate {
  readonly relationOids: readonly number[];
  readonly cascade: boolean;
  readonly restartIdentity: boolean;
}

/** What `pg_logical_emit_message` wrote. */
export interface LogicalMessage {
  readonly transactional: boolean;
  readonly prefix: string;
  readonly content: Buffer;
}

/** Takes the messages in the order of the stream. Tuples are valid only during the call. */
export interface PgoutputHandler {
  begin(begin: Begin): void;
  /** @param endLsn first byte after the commit record: the position to confirm and to resume at */
  commit(endLsn: bigint): void;
  relation(relation: Relation): void;
  type(type: TypeName): void;
  insert(relationOid: number, row: TupleView): void;
  /** @param old the row before: whole (`full`) or only its replica identity, when that changed; else null */
  update(relationOid: number, old: TupleView | null, full: boolean, row: TupleView): void;
  delete(relationOid: number, old: TupleView, full: boolean): void;
  truncate(truncate: Truncate): void;
  message(message: LogicalMessage): void;
}

/**
 * Reads messages of the pgoutput plugin, protocol version 1, and hands them on
 * (PostgreSQL documentation, "Logical Replication Message Formats"):
 *
 *   B int64 commit LSN, int64 commit clock, int32 xid
 *   C int8 flags, int64 commit LSN, int64 end LSN, int64 commit clock
 *   R int32 oid, text schema, text name, char identity, int16 columns, each: int8 flags, text name, int32 type, int32 mod
 *   Y int32 oid, text schema, text name
 *   I int32 oid, 'N' tuple      U int32 oid, ['K' | 'O' tuple], 'N' tuple      D int32 oid, 'K' | 'O' tuple
 *   T int32 relations, int8 options, int32 oid …
 *   M int8 flags, int64 LSN, text prefix, int32 length, bytes
 *   O origin of the transaction, which does not concern us
 *
 * @throws RangeError for bytes that are none of these: the stream is not what we asked for
 */
export class PgoutputReader {
  readonly #handler: PgoutputHandler;
  readonly #row = new TupleView();
  readonly #old = new TupleView();

  constructor(handler: PgoutputHandler) {
    this.#handler = handler;
  }

  /** Reads the message that fills the buffer from `start`. */
  read(bytes: Buffer, start: number): void {
    const body = start + 1;
    switch (String.fromCharCode(bytes[start] ?? 0)) {
      case 'I':
        this.#insert(bytes, body);
        return;
      case 'U':
        this.#update(bytes, body);
        return;
      case 'D':
        this.#old.read(bytes, body + 5);
        this.#handler.delete(bytes.readUInt32BE(body), this.#old, bytes[body + 4] === tagOld);
        return;
      case 'B':
        this.#handler.begin({
          commitLsn: bytes.readBigUInt64BE(body),
          commitMs: readClockMs(bytes, body + 8),
          xid: bytes.readUInt32BE(body + 16),
        });
        return;
      case 'C':
        this.#handler.commit(bytes.readBigUInt64BE(body + 9));
        return;
      case 'R':
        this.#handler.relation(readRelation(new Cursor(bytes, body)));
        return;
      case 'Y':
        this.#handler.type(readType(new Cursor(bytes, body)));
        return;
      case 'T':
        this.#handler.truncate(readTruncate(new Cursor(bytes, body)));
        return;
      case 'M':
        this.#handler.message(readMessage(new Cursor(bytes, body)));
        return;
      case 'O':
        return;
      default:
        throw new RangeError(`pgoutput: unknown message ${bytes[start]}`);
    }
  }

  #insert(bytes: Buffer, at: number): void {
    this.#row.read(bytes, at + 5);
    this.#handler.insert(bytes.readUInt32BE(at), this.#row);
  }

  #update(bytes: Buffer, at: number): void {
    const oid = bytes.readUInt32BE(at);
    const tag = bytes[at + 4];
    if (tag !== tagKey && tag !== tagOld) {
      this.#row.read(bytes, at + 5);
      this.#handler.update(oid, null, false, this.#row);
      return;
    }
    const next = this.#old.read(bytes, at + 5);
    this.#row.read(bytes, next + 1);
    this.#handler.update(oid, this.#old, tag === tagOld, this.#row);
  }
}

const tagKey = 0x4b;
const tagOld = 0x4f;

/** Reads the fields of the rare messages one after another. */
class Cursor {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  int8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  int16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4));
  }

  oid(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  skip(bytes: number): void {
    this.#advance(bytes);
  }

  /** A text that ends with a zero byte. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw new RangeError('pgoutput: a text does not end');
    return this.#bytes.toString('utf8', this.#advance(end + 1 - this.#at), end);
  }

  /** A copy, because the buffer belongs to the socket. */
  copy(length: number): Buffer {
    const start = this.#advance(length);
    return Buffer.from(this.#bytes.subarray(start, start + length));
  }

  #advance(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}

function readRelation(cursor: Cursor): Relation {
  const oid = cursor.oid();
  const schema = cursor.text();
  const name = cursor.text();
  const replicaIdentity = String.fromCharCode(cursor.int8()) as ReplicaIdentity;
  const columns: RelationColumn[] = [];
  for (let left = cursor.int16(); left > 0; left -= 1) {
    const isKey = (cursor.int8() & 1) === 1;
    columns.push({ isKey, name: cursor.text(), typeOid: cursor.oid(), typeModifier: cursor.int32() });
  }
  // The catalog's own schema is sent as an empty name.
  return { oid, schema: schema === '' ? 'pg_catalog' : schema, name, replicaIdentity, columns };
}

function readType(cursor: Cursor): TypeName {
  const oid = cursor.oid();
  const schema = cursor.text();
  return { oid, schema: schema === '' ? 'pg_catalog' : schema, name: cursor.text() };
}

function readTruncate(cursor: Cursor): Truncate {
  const count = cursor.int32();
  const options = cursor.int8();
  const relationOids = Array.from({ length: count }, () => cursor.oid());
  return { relationOids, cascade: (options & 1) !== 0, restartIdentity: (options & 2) !== 0 };
}

function readMessage(cursor: Cursor): LogicalMessage {
  const transactional = (cursor.int8() & 1) === 1;
  cursor.skip(8);
  const prefix = cursor.text();
  return { transactional, prefix, content: cursor.copy(cursor.int32()) };
}
