import { appendFileSync } from 'node:fs';
import type { Disk, DiskFile } from '../../src/storage/disk.ts';
import {
  BATCH_HEADER_BYTES,
  batchSizeAt,
  isControl,
  readBatchHeader,
} from '../../src/storage/record-batch.ts';

/** Steps of the storage in front of, within and behind which the process is killed, and how many a life surely has. */
export const killPoints = {
  'log write': 40,
  'marker write': 15,
  'segment roll': 3,
  'index write': 12,
  'journal write': 60,
  'journal snapshot': 12,
  'producer snapshot': 15,
} as const;

export type KillPoint = keyof typeof killPoints;

/** The process ends at the `nth` step of this kind. */
export interface KillPlan {
  readonly point: KillPoint;
  readonly nth: number;
  /** `within` leaves a part of a write behind, and is `after` for steps that cannot be halved. */
  readonly moment: 'before' | 'within' | 'after';
  /** File that a line is added to right before the end: proof that the point was reached. */
  readonly report: string;
}

interface Step {
  readonly path: string;
  readonly kind: 'open' | 'write' | 'truncate' | 'sync' | 'rename' | 'remove' | 'sync folder';
  readonly buffers?: readonly Buffer[];
}

/** Makes the disk kill its process as planned. The object itself is changed: it is the one that the broker will use. */
export function armDisk(disk: Disk, plan: KillPlan): void {
  const original = { ...disk };
  const killer = new Killer(plan);
  const places = new Map<string, Place>();
  disk.open = path =>
    killer.meet({ path, kind: 'open' }, async () => {
      const place = { path };
      places.set(path, place);
      return armedFile(await original.open(path), place, killer);
    });
  disk.rename = (from, to) =>
    killer.meet({ path: from, kind: 'rename' }, async () => {
      await original.rename(from, to);
      const place = places.get(from);
      if (place) place.path = to;
    });
  disk.remove = path => killer.meet({ path, kind: 'remove' }, () => original.remove(path));
  disk.syncFolder = path => killer.meet({ path, kind: 'sync folder' }, () => original.syncFolder(path));
}

/** Where an open file lies; it keeps being open when it is renamed. */
interface Place {
  path: string;
}

function armedFile(file: DiskFile, place: Place, killer: Killer): DiskFile {
  return {
    read: (position, length) => file.read(position, length),
    size: () => file.size(),
    close: () => file.close(),
    truncate: size => killer.meet({ ...place, kind: 'truncate' }, () => file.truncate(size)),
    sync: () => killer.meet({ ...place, kind: 'sync' }, () => file.sync()),
    write: (buffers, position) =>
      killer.meet(
        { ...place, kind: 'write', buffers },
        () => file.write(buffers, position),
        () => file.write([firstHalf(buffers)], position),
      ),
  };
}

const firstHalf = (buffers: readonly Buffer[]): Buffer => {
  const all = Buffer.concat(buffers);
  return all.subarray(0, all.length / 2);
};

class Killer {
  readonly #plan: KillPlan;
  #met = 0;

  constructor(plan: KillPlan) {
    this.#plan = plan;
  }

  async meet<T>(step: Step, run: () => Promise<T>, half: () => Promise<unknown> = run): Promise<T> {
    if (!isAt(this.#plan.point, step) || (this.#met += 1) !== this.#plan.nth) return run();
    if (this.#plan.moment !== 'before') await (this.#plan.moment === 'within' ? half : run)();
    appendFileSync(this.#plan.report, `${this.#plan.point}\n`);
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => {});
  }
}

function isAt(point: KillPoint, { path, kind, buffers = [] }: Step): boolean {
  switch (point) {
    case 'log write':
      return kind === 'write' && path.endsWith('.log');
    case 'marker write':
      return kind === 'write' && path.endsWith('.log') && buffers.some(hasMarker);
    case 'segment roll':
      return kind === 'open' && path.endsWith('.log') && !path.endsWith(`${'0'.repeat(20)}.log`);
    case 'index write':
      return path.endsWith('.index');
    case 'journal write':
      return (kind === 'write' || kind === 'sync') && path.endsWith('.journal');
    case 'journal snapshot':
      return (
        path.endsWith('.journal.new') ||
        path.endsWith('/journal') ||
        (kind === 'remove' && path.endsWith('.journal'))
      );
    case 'producer snapshot':
      return path.includes('.producers');
  }
}

function hasMarker(batches: Buffer): boolean {
  for (let at = 0; at + BATCH_HEADER_BYTES <= batches.length; at += batchSizeAt(batches, at)) {
    if (isControl(readBatchHeader(batches, at).attributes)) return true;
  }
  return false;
}
