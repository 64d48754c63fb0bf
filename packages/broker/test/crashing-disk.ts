import type { Disk, DiskFile } from '../src/storage/disk.ts';
import { memoryDisk } from '../src/storage/memory-disk.ts';

/** A disk whose power can fail: what was not synced may be there afterwards, in part or not at all. */
export interface CrashingDisk extends Disk {
  /** Cuts every file somewhere between what was synced and what was written. */
  crash(random: () => number): Promise<void>;
}

export function crashingDisk(): CrashingDisk {
  const disk = memoryDisk();
  const synced = new Map<string, number>();
  const opened = new Set<string>();
  return {
    ...disk,
    async open(path) {
      opened.add(path);
      return watched(await disk.open(path), size => synced.set(path, size));
    },
    async rename(from, to) {
      await disk.rename(from, to);
      opened.add(to);
      synced.set(to, synced.get(from) ?? 0);
    },
    async crash(random) {
      for (const path of opened) {
        if ((await disk.readWhole(path)) === null) continue;
        const file = await disk.open(path);
        const size = await file.size();
        const safe = Math.min(synced.get(path) ?? 0, size);
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
