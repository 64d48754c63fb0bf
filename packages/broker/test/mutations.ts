import { crc32c } from '@node-rs/crc32';

const pick = <T>(items: readonly T[], random: () => number): T =>
  items[Math.floor(random() * items.length)] as T;

/** One of the frames with a few bytes flipped, cut, repeated or inserted. The length in front is set by the sender. */
export function mutated(frames: readonly Buffer[], random: () => number): Buffer {
  let body = Buffer.from(pick(frames, random));
  const rounds = Math.floor(random() * 5); // none at all now and then
  for (let round = 0; round < rounds; round += 1) {
    const at = Math.floor(random() * body.length);
    const kind = Math.floor(random() * 4);
    if (kind === 0) body[at] = Math.floor(random() * 256);
    else if (kind === 1) body = body.subarray(0, Math.max(1, at));
    else if (kind === 2) body = Buffer.concat([body.subarray(0, at), body.subarray(at / 2)]);
    else body = Buffer.concat([body.subarray(0, at), Buffer.from([0xff, 0xff, 0x7f]), body.subarray(at)]);
  }
  return body;
}

const CRC_AT = 17;
const CRC_FROM = 21;

/** A record batch whose records are damaged and whose checksum is right all the same. */
export function mutatedBatch(batch: Buffer, random: () => number): Buffer {
  const damaged = Buffer.from(batch);
  for (let flips = 1 + Math.floor(random() * 3); flips > 0; flips -= 1) {
    const at = CRC_FROM + Math.floor(random() * (damaged.length - CRC_FROM));
    damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  }
  damaged.writeUInt32BE(crc32c(damaged.subarray(CRC_FROM)), CRC_AT);
  return damaged;
}
