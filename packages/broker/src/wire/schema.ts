import type {
  Codec,
  Decoded,
  Encodable,
  Field,
  FieldOptions,
  Fields,
  IsOptional,
  NoOptions,
  Nullable,
} from './field.ts';
import { structCodec } from './struct-codec.ts';
import { WireError } from './wire-error.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * The language in which the APIs' requests and responses are declared: an object whose keys, in order, are the fields
 * on the wire. TypeScript derives the types of decoded and encodable messages from it, `structCodec` the code.
 */

type Declared<T, E, O> = Field<Nullable<T, O>, Nullable<E, O>, IsOptional<O>>;

function declare<T, E, O extends FieldOptions<T>>(
  options: O | undefined,
  zero: T,
  codec: (version: number, flexible: boolean) => Codec<T | null, E | null>,
): Declared<T, E, O> {
  const nullable = options?.nullable !== undefined;
  const absent = options?.default === undefined ? (nullable ? null : zero) : options.default;
  const field: Field<T | null, E | null> = {
    codec: (version, flexible) => {
      const inner = codec(version, flexible);
      return nullable ? inner : neverNull(inner);
    },
    absent,
    since: options?.since ?? 0,
    until: options?.until ?? Number.POSITIVE_INFINITY,
    tag: options?.tag,
    optional: options?.default !== undefined || options?.tag !== undefined,
  };
  return field as Declared<T, E, O>;
}

function neverNull<T, E>(inner: Codec<T | null, E | null>): Codec<T | null, E | null> {
  return {
    read(reader) {
      const value = inner.read(reader);
      if (value === null) throw new WireError('null where the protocol does not allow it');
      return value;
    },
    write: (writer, value) => inner.write(writer, value),
  };
}

function fixed<T>(
  zero: T,
  read: (reader: WireReader) => T,
  write: (writer: WireWriter, value: T) => void,
): <const O extends FieldOptions<T> = NoOptions>(options?: O) => Declared<T, T, O> {
  const codec: Codec<T | null, T | null> = { read, write: (writer, value) => write(writer, value as T) };
  return options => declare(options, zero, () => codec);
}

export const boolean = fixed<boolean>(
  false,
  r => r.boolean(),
  (w, value) => w.boolean(value),
);
export const int8 = fixed<number>(
  0,
  r => r.int8(),
  (w, value) => w.int8(value),
);
export const int16 = fixed<number>(
  0,
  r => r.int16(),
  (w, value) => w.int16(value),
);
export const uint16 = fixed<number>(
  0,
  r => r.uint16(),
  (w, value) => w.uint16(value),
);
export const int32 = fixed<number>(
  0,
  r => r.int32(),
  (w, value) => w.int32(value),
);
export const int64 = fixed<number>(
  0,
  r => r.int64(),
  (w, value) => w.int64(value),
);
export const float64 = fixed<number>(
  0,
  r => r.float64(),
  (w, value) => w.float64(value),
);
/** 22 characters of base64url. */
export const uuid = fixed<string>(
  'AAAAAAAAAAAAAAAAAAAAAA',
  r => r.uuid(),
  (w, value) => w.uuid(value),
);

const compactLength = (reader: WireReader): number => reader.unsignedVarint() - 1;

const classicString: Codec<string | null> = {
  read: reader => reader.text(reader.int16()),
  write(writer, value) {
    const length = value === null ? -1 : Buffer.byteLength(value);
    writer.int16(length);
    if (value !== null) writer.text(value, length);
  },
};

const compactString: Codec<string | null> = {
  read: reader => reader.text(compactLength(reader)),
  write(writer, value) {
    const length = value === null ? -1 : Buffer.byteLength(value);
    writer.unsignedVarint(length + 1);
    if (value !== null) writer.text(value, length);
  },
};

export function string<const O extends FieldOptions<string> = NoOptions>(
  options?: O,
): Declared<string, string, O> {
  return declare(options, '', (_version, flexible) => (flexible ? compactString : classicString));
}

/** Bytes to encode: one buffer, or several that are sent one after another. */
export type BytesSource = Buffer | readonly Buffer[];

function bytesCodec(flexible: boolean): Codec<Buffer | null, BytesSource | null> {
  return {
    read: reader => reader.bytes(flexible ? compactLength(reader) : reader.int32()),
    write(writer, value) {
      const parts = Buffer.isBuffer(value) ? [value] : value;
      const length = parts === null ? -1 : parts.reduce((sum, part) => sum + part.length, 0);
      if (flexible) writer.unsignedVarint(length + 1);
      else writer.int32(length);
      for (const part of parts ?? []) writer.raw(part);
    },
  };
}

const classicBytes = bytesCodec(false);
const compactBytes = bytesCodec(true);

/** Bytes and record sets. Decoding gives a view of the frame. */
export function bytes<const O extends FieldOptions<Buffer> = NoOptions>(
  options?: O,
): Declared<Buffer, BytesSource, O> {
  return declare<Buffer, BytesSource, O>(options, Buffer.alloc(0), (_version, flexible) =>
    flexible ? compactBytes : classicBytes,
  );
}

function arrayCodec<D, E>(
  element: Codec<D, E>,
  flexible: boolean,
): Codec<readonly D[] | null, readonly E[] | null> {
  return {
    read(reader) {
      const length = reader.arrayLength(flexible ? compactLength(reader) : reader.int32());
      if (length === -1) return null;
      const items: D[] = [];
      for (let index = 0; index < length; index += 1) items.push(element.read(reader));
      return items;
    },
    write(writer, value) {
      const length = value === null ? -1 : value.length;
      if (flexible) writer.unsignedVarint(length + 1);
      else writer.int32(length);
      for (const item of value ?? []) element.write(writer, item);
    },
  };
}

/** An array of primitive values. */
export function list<D, E, const O extends FieldOptions<readonly D[]> = NoOptions>(
  element: Field<D, E>,
  options?: O,
): Declared<readonly D[], readonly E[], O> {
  return declare<readonly D[], readonly E[], O>(options, [], (version, flexible) =>
    arrayCodec(element.codec(version, flexible), flexible),
  );
}

/** An array of structures. */
export function array<F extends Fields, const O extends FieldOptions<readonly Decoded<F>[]> = NoOptions>(
  fields: F,
  options?: O,
): Declared<readonly Decoded<F>[], readonly Encodable<F>[], O> {
  return declare<readonly Decoded<F>[], readonly Encodable<F>[], O>(options, [], (version, flexible) =>
    arrayCodec(structCodec(fields, version, flexible), flexible),
  );
}

/** A structure that travels as a tagged field; null means that it is not there. */
export function taggedStruct<F extends Fields>(
  fields: F,
  options: { readonly since: number; readonly tag: number },
): Field<Decoded<F> | null, Encodable<F> | null, true> {
  return {
    codec: (version, flexible) =>
      structCodec(fields, version, flexible) as Codec<Decoded<F> | null, Encodable<F> | null>,
    absent: null,
    since: options.since,
    until: Number.POSITIVE_INFINITY,
    tag: options.tag,
    optional: true,
  };
}
