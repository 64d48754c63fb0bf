/**
 * The values of one row as they lie in a pgoutput message
 * (PostgreSQL documentation, "Logical Replication Message Formats", TupleData):
 *
 *   int16 columns, then for each: 'n' null | 'u' unchanged TOASTed value, not sent | 't' int32 length, bytes of text
 *
 * A view is filled again for every message, so that no object is made per value. What it shows is gone with the
 * message: read it before returning to the socket.
 */
export class TupleView {
  bytes: Buffer = Buffer.alloc(0);
  count = 0;
  #starts = new Int32Array(0);
  #ends = new Int32Array(0);

  /** Reads the tuple that starts at `offset`; answers the offset behind it. */
  read(bytes: Buffer, offset: number): number {
    this.bytes = bytes;
    this.count = bytes.readUInt16BE(offset);
    if (this.count > this.#starts.length) this.#grow();
    let at = offset + 2;
    for (let column = 0; column < this.count; column += 1) {
      const kind = bytes[at];
      at += 1;
      if (kind === kindText) {
        const length = bytes.readInt32BE(at);
        at += 4;
        this.#starts[column] = at;
        at += length;
        this.#ends[column] = at;
      } else if (kind === kindNull || kind === kindUnchanged) {
        this.#starts[column] = kind === kindNull ? absentNull : absentUnchanged;
      } else {
        throw new RangeError(`pgoutput: unknown column kind ${kind} at byte ${at - 1}`);
      }
    }
    return at;
  }

  isNull(column: number): boolean {
    return this.#starts[column] === absentNull;
  }

  /** True when the value is stored out of line and did not change, so that the server did not send it. */
  isUnchanged(column: number): boolean {
    return this.#starts[column] === absentUnchanged;
  }

  /** True when some value was not sent. */
  get hasUnchanged(): boolean {
    for (let column = 0; column < this.count; column += 1) if (this.isUnchanged(column)) return true;
    return false;
  }

  start(column: number): number {
    return this.#starts[column] as number;
  }

  end(column: number): number {
    return this.#ends[column] as number;
  }

  /** The value as text; null for NULL and for what was not sent. */
  text(column: number): string | null {
    if (this.start(column) < 0) return null;
    return this.bytes.toString('utf8', this.start(column), this.end(column));
  }

  /** The same row in bytes of its own, to be kept. */
  copy(): TupleView {
    const values = Array.from({ length: this.count }, (_, column) =>
      this.isUnchanged(column) ? undefined : this.text(column),
    );
    const copied = new TupleView();
    copied.read(tupleBytes(values), 0);
    return copied;
  }

  /** True when both rows hold the same bytes in the column. */
  sameAs(other: TupleView, column: number): boolean {
    if (this.start(column) < 0 || other.start(column) < 0) return this.start(column) === other.start(column);
    return (
      this.bytes.compare(
        other.bytes,
        other.start(column),
        other.end(column),
        this.start(column),
        this.end(column),
      ) === 0
    );
  }

  #grow(): void {
    // PostgreSQL allows at most 1600 columns in a table.
    this.#starts = new Int32Array(this.count * 2);
    this.#ends = new Int32Array(this.count * 2);
  }
}

/** A tuple made of texts, as the server would send it; undefined stands for an unchanged value that is not sent. */
export function tupleBytes(values: readonly (string | null | undefined)[]): Buffer {
  const parts: Buffer[] = [Buffer.from([values.length >> 8, values.length & 0xff])];
  for (const value of values) {
    if (value === null || value === undefined) {
      parts.push(Buffer.from([value === null ? kindNull : kindUnchanged]));
      continue;
    }
    const head = Buffer.alloc(5);
    head[0] = kindText;
    head.writeInt32BE(Buffer.byteLength(value), 1);
    parts.push(head, Buffer.from(value));
  }
  return Buffer.concat(parts);
}

const kindNull = 0x6e;
const kindText = 0x74;
const kindUnchanged = 0x75;
const absentNull = -1;
const absentUnchanged = -2;
