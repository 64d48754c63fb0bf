import { getRandomValues } from 'node:crypto';

/** Largest value of the 12 bits behind the timestamp, which count the ids of a millisecond. */
const counterMax = 0xfff;

/**
 * Makes UUIDs of version 7 (RFC 9562 §5.7): 48 bits of milliseconds, 12 bits that count within the millisecond
 * (§6.2, method 1), 62 random bits. The ids of one maker ascend, which keeps a database's index compact.
 */
export function uuidV7Maker(now: () => number): () => string {
  const bytes = Buffer.alloc(16);
  let lastMs = 0;
  let counter = 0;
  return () => {
    const nowMs = now();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = 0;
    } else if (counter === counterMax) {
      // More than 4096 ids in a millisecond, or a clock that was set back: borrow from the future.
      lastMs += 1;
      counter = 0;
    } else {
      counter += 1;
    }
    getRandomValues(bytes);
    bytes.writeUIntBE(lastMs, 0, 6);
    bytes.writeUInt16BE(0x7000 | counter, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
}
