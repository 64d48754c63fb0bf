import type { Disk, DiskFile } from '../src/storage/disk.ts';
import { memoryDisk } from '../src/storage/memory-disk.ts';

/** A disk whose power can fail: what was not synced may be there afterwards, in part or not at all. */
export interface CrashingDisk extends Disk {
  /** Cuts every file somewhere between what was synced and what was written. */
  crash(random: () => number): Promise<void>;
}

/** How much of a file a power failure leaves for sure; goes along when the file is renamed. */
interface Durable {
  bytes: number;
}

export function crashingDisk(): CrashingDisk {
  const disk = memoryDisk();
  const durable = new Map<string, Durable>();
  return {
    ...disk,
    async open(path) {
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
    },
    async remove(path) {
      await disk.remove(path);
      for (const name of durable.keys())
        if (name === path || name.startsWith(`${path}/`)) durable.delete(name);
    },
    async crash(random) {
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
