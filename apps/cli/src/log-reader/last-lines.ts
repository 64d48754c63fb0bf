import type { FileHandle } from 'node:fs/promises';

const blockBytes = 64 * 1024;
const newline = 0x0a;

export interface Tail {
  readonly lines: readonly string[];
  /** Where the last full line ends, bytes from the start; what follows is still being written. */
  readonly end: number;
}

/** The last full lines of a file, read from its end, so that a large file costs no more than what is shown of it. */
export async function lastLines(file: FileHandle, count: number): Promise<Tail> {
  const { size } = await file.stat();
  let start = size;
  let bytes = Buffer.alloc(0);
  // One line end more than lines: the one before the first of them.
  while (start > 0 && countLineEnds(bytes) <= count) {
    const from = Math.max(0, start - blockBytes);
    bytes = Buffer.concat([await readRange(file, from, start), bytes]);
    start = from;
  }
  const full = bytes.subarray(0, bytes.lastIndexOf(newline) + 1);
  const lines = splitLines(full);
  return {
    lines: lines.slice(Math.max(0, lines.length - count)),
    end: size - (bytes.length - full.length),
  };
}

/** Bytes from `start` up to `end`, fewer when the file ends before. */
export async function readRange(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
  return buffer.subarray(0, bytesRead);
}

/** The texts of full lines, without their line ends. */
export function splitLines(full: Buffer): string[] {
  return full.toString().split('\n').slice(0, -1);
}

function countLineEnds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count += 1;
  return count;
}
