import type { ByteWriter } from '@tidemark/canal-json';
import type { TupleView } from '../protocol/tuple.ts';

/** How the text that PostgreSQL sends becomes the value that Canal-JSON carries. */
export type ValueFormat =
  /** As it is. */
  | { readonly kind: 'plain' }
  /** Rewritten by a function. */
  | { readonly kind: 'text'; readonly convert: (text: string) => string }
  /** `\x…` hexadecimal digits to bytes. */
  | { readonly kind: 'binary' }
  /** Never shown: `***` stands for every value but NULL. */
  | { readonly kind: 'masked' };

export const plain: ValueFormat = { kind: 'plain' };
export const binary: ValueFormat = { kind: 'binary' };
export const masked: ValueFormat = { kind: 'masked' };

const mask = '***';

/** Writes a column of a tuple as a JSON literal. An unchanged value that was not sent must not come here. */
export function writeValue(out: ByteWriter, format: ValueFormat, tuple: TupleView, column: number): void {
  if (tuple.isNull(column)) {
    out.ascii('null');
    return;
  }
  switch (format.kind) {
    case 'plain':
      out.utf8(tuple.bytes, tuple.start(column), tuple.end(column));
      return;
    case 'text':
      out.text(format.convert(tuple.text(column) ?? ''));
      return;
    case 'binary': {
      const bytes = unhex(tuple, column);
      out.latin1(bytes, 0, bytes.length);
      return;
    }
    case 'masked':
      out.text(mask);
      return;
    default:
      format satisfies never;
  }
}

/** The bytes that a partition hash sees, or undefined for NULL. They equal what TiCDC hashes for the same value. */
export function hashedValue(format: ValueFormat, tuple: TupleView, column: number): Uint8Array | undefined {
  if (tuple.start(column) < 0) return undefined;
  switch (format.kind) {
    case 'text':
      return Buffer.from(format.convert(tuple.text(column) ?? ''));
    case 'binary':
      return unhex(tuple, column);
    // The partition does not give a masked value away, and the row stays where its key puts it.
    case 'masked':
    case 'plain':
      return tuple.bytes.subarray(tuple.start(column), tuple.end(column));
    default:
      return format satisfies never;
  }
}

/** Bytes of bytea's hexadecimal form, `\x00ff`. */
function unhex(tuple: TupleView, column: number): Buffer {
  return Buffer.from(tuple.bytes.toString('latin1', tuple.start(column) + 2, tuple.end(column)), 'hex');
}
