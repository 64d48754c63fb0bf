import { type Deferred, deferred } from '@tidemark/kernel';
import type { Disk, DiskFile } from './disk.ts';
import { LentMemory } from './lent-memory.ts';

interface Entry {
  readonly file: Promise<DiskFile>;
  users: number;
  /** Close as soon as nobody uses it. */
  dropped: boolean;
  readonly closed: Deferred<void>;
}

/**
 * Keeps the files that are in use open, and a bounded number of those used last: a broker may have more segments than
 * the process may have descriptors.
 */
export class FilePool {
  readonly #disk: Disk;
  readonly #openMax: number;
  readonly #entries = new Map<string, Entry>();
  /** Where what is read from the files is put. */
  readonly memory: LentMemory;

  constructor(disk: Disk, openMax = 256, memory = new LentMemory(0)) {
    this.#disk = disk;
    this.#openMax = openMax;
    this.memory = memory;
  }

  get disk(): Disk {
    return this.#disk;
  }

  async use<T>(path: string, work: (file: DiskFile) => Promise<T>): Promise<T> {
    const entry = this.#acquire(path);
    try {
      return await work(await entry.file);
    } finally {
      entry.users -= 1;
      if (entry.dropped) this.#closeUnused(entry);
      else this.#trim();
    }
  }

  /**
   * Forgets the file; it is closed when its last user is done, which is when the promise resolves. Call before
   * removing the file, and wait before putting another one in its place.
   */
  async drop(path: string): Promise<void> {
    const entry = this.#entries.get(path);
    if (!entry) return;
    this.#entries.delete(path);
    entry.dropped = true;
    this.#closeUnused(entry);
    await entry.closed.promise;
  }

  async closeAll(): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.allSettled(entries.map(async entry => (await entry.file).close()));
  }

  #acquire(path: string): Entry {
    let entry = this.#entries.get(path);
    if (entry)
      this.#entries.delete(path); // re-inserted below: the map's order is the order of last use
    else entry = { file: this.#open(path), users: 0, dropped: false, closed: deferred() };
    entry.users += 1;
    this.#entries.set(path, entry);
    return entry;
  }

  #open(path: string): Promise<DiskFile> {
    const file = this.#disk.open(path);
    file.catch(() => this.#entries.delete(path)); // a failed open is tried again by the next user
    return file;
  }

  #trim(): void {
    if (this.#entries.size <= this.#openMax) return;
    for (const [path, entry] of this.#entries) {
      if (entry.users > 0) continue;
      void this.drop(path);
      if (this.#entries.size <= this.#openMax) return;
    }
  }

  #closeUnused(entry: Entry): void {
    if (entry.users > 0) return;
    entry.file
      .then(file => file.close())
      .catch(() => {}) // nothing was written through it since its last sync point
      .finally(() => entry.closed.resolve());
  }
}
