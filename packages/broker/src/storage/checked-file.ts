import { dirname } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import type { Disk } from './disk.ts';

/**
 * Small state files that are replaced whole: JSON behind its length and checksum, written beside the old file and
 * renamed over it. A reader sees the old content or the new, never half of one.
 */
export async function writeCheckedFile(disk: Disk, path: string, content: unknown): Promise<void> {
  const beside = `${path}.new`;
  await disk.remove(beside);
  const file = await disk.open(beside);
  try {
    await file.write([frame(Buffer.from(JSON.stringify(content)))], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(beside, path);
  await disk.syncFolder(dirname(path));
}

/** The content, or undefined when the file is absent or damaged. */
export async function readCheckedFile(disk: Disk, path: string): Promise<unknown> {
  const file = await disk.readWhole(path);
  return file ? unframe(file, 0)?.content : undefined;
}

/** length u32 (of the payload), crc32c u32 (of the payload), payload. */
export const FRAME_HEADER_BYTES = 8;

export function frame(payload: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  framed.writeUInt32BE(payload.length, 0);
  framed.writeUInt32BE(crc32c(payload), 4);
  payload.copy(framed, FRAME_HEADER_BYTES);
  return framed;
}

/** The JSON payload of the frame at `at` and where the next one starts; null when it is not whole. */
export function unframe(
  file: Buffer,
  at: number,
): { readonly content: unknown; readonly next: number } | null {
  if (at + FRAME_HEADER_BYTES > file.length) return null;
  const start = at + FRAME_HEADER_BYTES;
  const next = start + file.readUInt32BE(at);
  if (next > file.length) return null;
  const payload = file.subarray(start, next);
  if (crc32c(payload) !== file.readUInt32BE(at + 4)) return null;
  return { content: JSON.parse(payload.toString('utf8')), next };
}
