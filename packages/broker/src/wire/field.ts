import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/** Reads and writes one value in one version of an API. */
export interface Codec<Decoded, Encodable = Decoded> {
  read(reader: WireReader): Decoded;
  write(writer: WireWriter, value: Encodable): void;
}

/** One declared field. `Optional` tells whether an encoder may leave it out. */
export interface Field<Decoded, Encodable = Decoded, Optional extends boolean = boolean> {
  codec(version: number, flexible: boolean): Codec<Decoded, Encodable>;
  /** What a decoder reports for versions without the field, and what an encoder writes when it is left out. */
  readonly absent: Decoded;
  readonly since: number;
  readonly until: number;
  readonly tag: number | undefined;
  readonly optional: Optional;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The type of a decoded message: every field present, those the version lacks with their defaults. */
export type Decoded<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<infer D, infer _E, infer _O> ? D : never;
};

type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<infer _D, infer _E, true> ? K : never;
}[keyof F];

type EncodableField<T> = T extends Field<infer _D, infer E, infer _O> ? E : never;

/** The type that an encoder takes: fields with a default may be left out. */
export type Encodable<F extends Fields> = {
  [K in Exclude<keyof F, OptionalKeys<F>>]: EncodableField<F[K]>;
} & { [K in OptionalKeys<F>]?: EncodableField<F[K]> | undefined };

/** Versions and defaults of a field. */
export interface FieldOptions<T> {
  /** First version that carries the field; 0 when left out. */
  readonly since?: number;
  /** Last version that carries the field. */
  readonly until?: number;
  /** First version in which the value may be null. */
  readonly nullable?: number;
  /** Number of a tagged field (KIP-482); tagged fields exist only in flexible versions and may be left out. */
  readonly tag?: number;
  readonly default?: T | null;
}

/** What leaving the options out means. */
export interface NoOptions {
  readonly since?: number;
}

export type Nullable<T, O> = O extends { readonly nullable: number } ? T | null : T;
export type IsOptional<O> = O extends { readonly default: unknown } | { readonly tag: number } ? true : false;
