import type { Disk, DiskFile } from '../storage/disk.ts';

/** Wraps a disk so that its writes fail as on a full one while `refuses` says so. Reads go on. */
export function refusingDisk(disk: Disk, refuses: () => boolean): Disk {
  return {
    ...disk,
    async open(path) {
      return refusingFile(await disk.open(path), refuses);
    },
  };
}

function refusingFile(file: DiskFile, refuses: () => boolean): DiskFile {
  return {
    async write(buffers, position) {
      if (refuses()) throw Object.assign(new Error('no space left on device (injected)'), { code: 'ENOSPC' });
      await file.write(buffers, position);
    },
    read: (position, length, into) => file.read(position, length, into),
    size: () => file.size(),
    truncate: size => file.truncate(size),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}
