import { appendFile, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BATCH_HEADER_BYTES,
  batchSizeAt,
  readBatchHeader,
  stampBatch,
} from '../../src/storage/record-batch.ts';

/**
 * What a machine leaves behind that dies in the middle of a write, or that writes what it should not: every log and the
 * journal may get a torn or damaged end behind what was acknowledged, and files that only save work may be damaged.
 */
export async function damageFolder(folder: string, random: () => number): Promise<void> {
  for (const path of await newestLogs(folder)) {
    if (random() < 0.6) await appendFile(path, logTail(await readFile(path), random));
  }
  for (const path of await filesOf(folder, 'journal', '.journal')) {
    if (random() < 0.5) await appendFile(path, journalTail(await readFile(path), random));
  }
  for (const extension of ['.index', '.producers']) {
    for (const path of await filesOf(folder, 'topics', extension))
      if (random() < 0.1) await flipInFile(path, random);
  }
}

/** The log of each partition that was written to last. */
export async function newestLogs(folder: string): Promise<string[]> {
  const logs = await filesOf(folder, 'topics', '.log');
  return [...new Map(logs.map(path => [path.split('/').slice(0, -1).join('/'), path])).values()];
}

async function filesOf(folder: string, part: string, extension: string): Promise<string[]> {
  const names = await readdir(join(folder, part), { recursive: true }).catch(() => []);
  return names
    .filter(name => name.endsWith(extension))
    .toSorted()
    .map(name => join(folder, part, name));
}

/** Noise, the beginning of a batch, or a whole batch with a flipped bit. */
function logTail(log: Buffer, random: () => number): Buffer {
  const batch = nextBatch(log);
  if (!batch || random() < 0.3) return noise(1 + Math.floor(random() * 200), random);
  if (random() < 0.5) return batch.subarray(0, Math.floor(random() * batch.length));
  return flipped(batch, random);
}

/** The last whole batch of the log once more, as it would stand at the next offset. */
function nextBatch(log: Buffer): Buffer | undefined {
  let last: Buffer | undefined;
  for (let at = 0; at + BATCH_HEADER_BYTES <= log.length; ) {
    const size = batchSizeAt(log, at);
    if (size < BATCH_HEADER_BYTES || at + size > log.length) break;
    last = log.subarray(at, at + size);
    at += size;
  }
  if (!last) return undefined;
  const { lastOffset, leaderEpoch } = readBatchHeader(last);
  const next = Buffer.from(last);
  stampBatch(next, lastOffset + 1, leaderEpoch);
  return next;
}

/** Noise, or the journal's first entries once more, cut or with a flipped bit. */
function journalTail(journal: Buffer, random: () => number): Buffer {
  if (journal.length < 8 || random() < 0.3) return noise(1 + Math.floor(random() * 100), random);
  const entry = journal.subarray(0, 8 + journal.readUInt32BE(0));
  return random() < 0.5
    ? entry.subarray(0, Math.floor(random() * entry.length))
    : flipped(Buffer.from(entry), random);
}

function noise(length: number, random: () => number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

/** One bit of it is another. The leader epoch (bytes 12 to 15 of a batch) is left alone: no checksum covers it. */
function flipped(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * bytes.length);
  const place = at >= 12 && at < 16 ? 16 : at;
  bytes[place] = (bytes[place] ?? 0) ^ (1 << Math.floor(random() * 8));
  return bytes;
}

async function flipInFile(path: string, random: () => number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const content = await file.readFile();
    if (content.length > 0) await file.write(flipped(content, random), 0, content.length, 0);
  } finally {
    await file.close();
  }
}
