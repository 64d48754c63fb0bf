import { createHmac } from 'node:crypto';
import type { ByteWriter } from '@tidemark/canal-json';
import type { TupleView } from '../protocol/tuple.ts';

/** How the text that PostgreSQL sends becomes the value that Canal-JSON carries. */
export type ValueFormat =
  /** As it is. */
  | { readonly kind: 'plain' }
  /** Rewritten by a function. */
  | { readonly kind: 'text'; readonly convert: (text: string) => string }
  /** `\x…` hexadecimal digits to bytes. */
  | { readonly kind: 'binary' };

export const plain: ValueFormat = { kind: 'plain' };
export const binary: ValueFormat = { kind: 'binary' };

/** Never shown: `***` stands for every value but NULL. */
export const masked: ValueFormat = { kind: 'text', convert: () => '***' };

/** Shown as its HMAC-SHA256: equal values stay equal, and nobody without the key can find one by trying. */
export function hashed(key: Uint8Array): ValueFormat {
  return { kind: 'text', convert: text => createHmac('sha256', key).update(text).digest('hex') };
}

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
    default:
      format satisfies never;
  }
}

/** The bytes that a partition hash sees, or undefined for NULL. They equal what TiCDC hashes for the same value. */
export function hashedBytes(format: ValueFormat, tuple: TupleView, column: number): Uint8Array | undefined {
  if (tuple.start(column) < 0) return undefined;
  switch (format.kind) {
    case 'plain':
      return tuple.bytes.subarray(tuple.start(column), tuple.end(column));
    case 'text':
      return Buffer.from(format.convert(tuple.text(column) ?? ''));
    case 'binary':
      return unhex(tuple, column);
    default:
      return format satisfies never;
  }
}

/** Bytes of bytea's hexadecimal form, `\x00ff`. */
function unhex(tuple: TupleView, column: number): Buffer {
  return Buffer.from(tuple.bytes.toString('latin1', tuple.start(column) + 2, tuple.end(column)), 'hex');
}
