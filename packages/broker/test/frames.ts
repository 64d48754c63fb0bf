import type { Api } from '../src/api/api.ts';
import { apis } from '../src/api/index.ts';
import type { Codec } from '../src/wire/field.ts';
import type { WireReader } from '../src/wire/wire-reader.ts';
import { WireWriter } from '../src/wire/wire-writer.ts';

/** A frame with its length in front. */
export function framed(body: Buffer): Buffer {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  body.copy(frame, 4);
  return frame;
}

/** ApiVersions version 0 has no body. */
export function apiVersionsRequest(correlationId: number): Buffer {
  return encodeRequest(18, 0, correlationId, () => {});
}

/** Header and body of a request of any version. */
export function encodeRequest(
  apiKey: number,
  version: number,
  correlationId: number,
  body: (writer: WireWriter) => void,
  flexible = false,
): Buffer {
  const writer = new WireWriter();
  writer.int16(apiKey);
  writer.int16(version);
  writer.int32(correlationId);
  writer.int16(4);
  writer.text('test', 4);
  if (flexible) writer.unsignedVarint(0);
  body(writer);
  return Buffer.concat(writer.finish());
}

/** A whole request from a message, encoded with the broker's own declaration. */
export function encodeMessage(api: Api, version: number, message: unknown, correlationId = 1): Buffer {
  const codec = api.codecs(version).request;
  return encodeRequest(
    api.key,
    version,
    correlationId,
    writer => codec.write(writer, message),
    version >= api.flexibleSince,
  );
}

/** Plausible requests of every API in its first and its last version, as seeds for mutation. */
export function validFrames(random: () => number): Buffer[] {
  return apis.flatMap(api =>
    [api.servedSince, api.versions[1]].map(version =>
      encodeMessage(api, version, randomMessage(api.codecs(version).request, random)),
    ),
  );
}

/** Any message that the declaration allows. */
export function randomMessage(codec: Codec<unknown>, random: () => number): unknown {
  return codec.read(new InventingReader(random) as unknown as WireReader);
}

const WORDS = ['t', 'g', 'consumer', '', 'topic-1', 'größer', 'range'];

/**
 * Stands in for a reader and invents what it is asked for. The declarations themselves so become generators: whatever
 * shape they have, their messages have too.
 */
class InventingReader {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  int8 = (): number => this.#below(256) - 128;
  int16 = (): number => this.#below(200) - 100;
  uint16 = (): number => this.#below(65_536);
  int32 = (): number => this.#below(1000) - 1;
  int64 = (): number => this.#below(2 ** 45) - 1;
  float64 = (): number => this.#random();
  boolean = (): boolean => this.#random() < 0.5;
  uuid = (): string => Buffer.from(Array.from({ length: 16 }, () => this.#below(256))).toString('base64url');
  unsignedVarint = (): number => 1;
  text = (): string => WORDS[this.#below(WORDS.length)] ?? '';
  bytes = (): Buffer => Buffer.from(Array.from({ length: this.#below(40) }, () => this.#below(256)));
  raw = (): Buffer => this.bytes();
  arrayLength = (): number => this.#below(4);
  taggedFields = (known: (tag: number) => boolean): void => {
    for (const tag of [0, 1, 2, 3]) if (this.#random() < 0.5) known(tag);
  };

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}
