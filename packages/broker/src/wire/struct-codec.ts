import type { Codec, Decoded, Encodable, Field, Fields } from './field.ts';
import type { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

interface Slot {
  readonly name: string;
  readonly field: Field<unknown>;
  readonly codec: Codec<unknown>;
}

/** Compiles the declaration for one version. Slow; the result is cached by whoever asks. */
export function structCodec<F extends Fields>(
  fields: F,
  version: number,
  flexible: boolean,
): Codec<Decoded<F>, Encodable<F>> {
  const slots: Slot[] = [];
  const missing: [string, unknown][] = [];
  const tagged: Slot[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const present = version >= field.since && version <= field.until && (field.tag === undefined || flexible);
    if (!present || field.tag !== undefined) missing.push([name, field.absent]);
    if (!present) continue;
    (field.tag === undefined ? slots : tagged).push({ name, field, codec: field.codec(version, flexible) });
  }
  return {
    read: reader => readStruct(reader, slots, missing, tagged, flexible) as Decoded<F>,
    write: (writer, value) => writeStruct(writer, value, slots, tagged, flexible),
  };
}

function readStruct(
  reader: WireReader,
  slots: readonly Slot[],
  missing: readonly [string, unknown][],
  tagged: readonly Slot[],
  flexible: boolean,
): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const slot of slots) value[slot.name] = slot.codec.read(reader);
  for (const [name, absent] of missing) value[name] = absent;
  if (!flexible) return value;
  reader.taggedFields(tag => {
    const slot = tagged.find(candidate => candidate.field.tag === tag);
    if (slot) value[slot.name] = slot.codec.read(reader);
    return slot !== undefined;
  });
  return value;
}

function writeStruct(
  writer: WireWriter,
  value: Record<string, unknown>,
  slots: readonly Slot[],
  tagged: readonly Slot[],
  flexible: boolean,
): void {
  for (const slot of slots) {
    const given = value[slot.name];
    slot.codec.write(writer, given === undefined ? slot.field.absent : given);
  }
  if (flexible) writeTagged(writer, value, tagged);
}

function writeTagged(writer: WireWriter, value: Record<string, unknown>, tagged: readonly Slot[]): void {
  const present = tagged.filter(
    slot => value[slot.name] !== undefined && value[slot.name] !== slot.field.absent,
  );
  writer.unsignedVarint(present.length);
  for (const slot of present) {
    const content = new WireWriter();
    slot.codec.write(content, value[slot.name]);
    writer.unsignedVarint(slot.field.tag ?? 0);
    writer.unsignedVarint(content.length);
    for (const part of content.finish()) writer.raw(part);
  }
}
