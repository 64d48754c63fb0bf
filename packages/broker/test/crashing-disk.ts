import { dirname } from 'node:path';
import type { Disk, DiskFile } from '../src/storage/disk.ts';
import { memoryDisk } from '../src/storage/memory-disk.ts';

/**
 * A disk whose power can fail: what was not synced may be there afterwards, in part or not at all, and a file whose
 * folder was not synced since it got its name may be gone.
 */
export interface CrashingDisk extends Disk {
  /** Cuts every file somewhere between what was synced and what was written, and takes some new files away. */
  crash(random: () => number): Promise<void>;
}

/** How much of a file a power failure leaves for sure; goes along when the file is renamed. */
interface Durable {
  bytes: number;
}

export function crashingDisk(): CrashingDisk {
  const disk = memoryDisk();
  const durable = new Map<string, Durable>();
  const unnamed = new Set<string>();
  return {
    ...disk,
    async open(path) {
      if (!durable.has(path)) unnamed.add(path);
      const known = durable.get(path) ?? { bytes: 0 };
      durable.set(path, known);
      return watched(await disk.open(path), size => {
        known.bytes = size;
      });
    },
    async rename(from, to) {
      await disk.rename(from, to);
      durable.set(to, durable.get(from) ?? { bytes: 0 });
      durable.delete(from);
      unnamed.delete(from);
      unnamed.add(to);
    },
    async syncFolder(path) {
      await disk.syncFolder(path);
      for (const name of unnamed) if (dirname(name) === path) unnamed.delete(name);
    },
    async remove(path) {
      await disk.remove(path);
      for (const name of durable.keys())
        if (name === path || name.startsWith(`${path}/`)) durable.delete(name);
    },
    async crash(random) {
      for (const path of unnamed) if (random() < 0.5) await this.remove(path);
      unnamed.clear();
      for (const [path, { bytes }] of durable) {
        const file = await disk.open(path);
        const size = await file.size();
        const safe = Math.min(bytes, size);
        await file.truncate(safe + Math.floor(random() * (size - safe + 1)));
      }
    },
  };
}

function watched(file: DiskFile, syncedUpTo: (size: number) => void): DiskFile {
  return {
    write: (buffers, position) => file.write(buffers, position),
    read: (position, length) => file.read(position, length),
    size: () => file.size(),
    truncate: size => file.truncate(size),
    async sync() {
      await file.sync();
      syncedUpTo(await file.size());
    },
    close: () => file.close(),
  };
}
