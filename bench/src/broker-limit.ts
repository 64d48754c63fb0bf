import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32c } from '@node-rs/crc32';
import { recordBatch } from './broker-frames.ts';
import { measure, type Window } from './broker-load.ts';
import type { Direction } from './broker-throughput.ts';
import { fetchingMuch, fetchingSingles, producing, type Shape } from './broker-traffic.ts';

/**
 * What the client and the loopback network reach with a peer that does nothing: it counts the bytes of requests and
 * sends ready-made answers. Megabytes of messages a second.
 */
export async function limitOf(
  direction: Direction,
  shape: Shape,
  { lanes, depth }: { readonly lanes: number; readonly depth: number },
  window: Window,
): Promise<number> {
  const topic = 'limit';
  const peer = fork(fileURLToPath(new URL('./broker-limit-peer.ts', import.meta.url)), [
    direction,
    topic,
    String(recordBatch(shape.messageBytes, shape.messagesPerBatch).length),
    String(shape.messagesPerBatch === 1),
  ]);
  try {
    const [port] = (await once(peer, 'message')) as [number];
    const singles = shape.messagesPerBatch === 1;
    const traffics = Array.from({ length: lanes }, (_, partition) => {
      const place = { topic, partition };
      if (direction === 'produce') return producing(place, shape);
      return singles ? fetchingSingles(place, shape, 1000) : fetchingMuch(place, shape, 1_000_000);
    });
    const busy = direction === 'produce' || singles ? depth : 1;
    const load = await measure({ port, pid: peer.pid ?? 0 }, traffics, busy, window);
    return load.megabytesPerSec;
  } finally {
    peer.kill('SIGKILL');
  }
}

/** What one thread appends to a file in the page cache, with a checksum over every batch. Megabytes a second. */
export async function appendLimit(batchBytes: number, totalBytes: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const file = await open(join(folder, 'log'), 'w');
  try {
    const batch = Buffer.alloc(batchBytes, 'tidemark ');
    const group = Array.from({ length: 16 }, () => batch);
    const begun = performance.now();
    let written = 0;
    while (written < totalBytes) {
      for (const one of group) crc32c(one);
      written += (await file.writev(group, written)).bytesWritten;
    }
    return written / 1e6 / ((performance.now() - begun) / 1000);
  } finally {
    await file.close();
    await rm(folder, { recursive: true });
  }
}
