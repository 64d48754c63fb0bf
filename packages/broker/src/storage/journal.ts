import { join } from 'node:path';
import { frame, unframe } from './checked-file.ts';
import type { Disk, DiskFile } from './disk.ts';

/** One fact, absolute rather than relative: replaying it twice does no harm. `kind` names its owner. */
export interface JournalEntry {
  readonly kind: string;
  readonly [field: string]: unknown;
}

export interface JournalOptions {
  /** Sync each group of entries before it is acknowledged. */
  readonly sync: boolean;
  /** A new file is begun when the old one has grown to this. */
  readonly bytesMax: number;
  /** The entries that say everything known now; the journal asks when it starts a new file. */
  readonly dump: () => readonly JournalEntry[];
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
}

interface Waiting {
  readonly framed: Buffer;
  resolve(): void;
  reject(reason: unknown): void;
}

const EXTENSION = '.journal';
/** A new file is not begun before the old one has grown to several times its beginning. */
const SNAPSHOT_GROWTH = 4;

/**
 * The broker's memory of everything but records: topics, configs, groups, offsets, producer ids, transactions. One
 * file of framed JSON entries in one total order; from time to time a new file begins with a dump of the state.
 * Entries take effect in memory first; a client is answered when its entry is durable.
 */
export class Journal {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #options: JournalOptions;
  #generation = 0;
  #file: DiskFile | undefined;
  #size = 0;
  #beginningBytes = 0;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(disk: Disk, folder: string, options: JournalOptions) {
    this.#disk = disk;
    this.#folder = folder;
    this.#options = options;
  }

  /** Replays the newest complete file. */
  async load(apply: (entry: JournalEntry) => void): Promise<void> {
    await this.#disk.makeFolder(this.#folder);
    this.#generation = Math.max(0, ...(await this.#generations()));
    const content = await this.#disk.readWhole(this.#path(this.#generation));
    if (content) this.#replay(content, apply);
  }

  /** Begins a new file from the state that the replayed entries gave; appends may follow. */
  async start(): Promise<void> {
    const old = await this.#generations();
    await this.#begin();
    for (const generation of old) await this.#disk.remove(this.#path(generation));
  }

  /** Resolves when the entries are durable under the policy. */
  append(entries: readonly JournalEntry[]): Promise<void> {
    const framed = Buffer.concat(entries.map(entry => frame(Buffer.from(JSON.stringify(entry)))));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ framed, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async close(): Promise<void> {
    while (this.#running) await this.#running;
    await this.#file?.sync();
    await this.#file?.close();
    this.#file = undefined;
  }

  async #generations(): Promise<number[]> {
    const names = await this.#disk.list(this.#folder);
    return names.filter(name => name.endsWith(EXTENSION)).map(name => Number.parseInt(name, 10));
  }

  #path(generation: number): string {
    return join(this.#folder, `${String(generation).padStart(8, '0')}${EXTENSION}`);
  }

  #replay(content: Buffer, apply: (entry: JournalEntry) => void): void {
    let at = 0;
    for (let found = unframe(content, at); found; found = unframe(content, at)) {
      apply(found.content as JournalEntry);
      at = found.next;
    }
    if (at < content.length) {
      const facts = { path: this.#path(this.#generation), bytes: content.length - at };
      this.#options.warn('the journal ends in an incomplete entry, which was never acknowledged', facts);
    }
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // entries of the same turn share one write
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(group.map(waiting => waiting.framed));
        for (const waiting of group) waiting.resolve();
      } catch (reason) {
        await this.#cutOff();
        for (const waiting of group) waiting.reject(reason);
      }
    }
    this.#running = undefined;
  }

  async #write(buffers: readonly Buffer[]): Promise<void> {
    if (this.#size > Math.max(this.#options.bytesMax, SNAPSHOT_GROWTH * this.#beginningBytes))
      await this.#begin();
    const file = this.#file;
    if (!file) throw new Error('the journal is closed');
    await file.write(buffers, this.#size);
    if (this.#options.sync) await file.sync();
    for (const buffer of buffers) this.#size += buffer.length;
  }

  /** Half an entry in the middle would hide everything behind it at the next start. */
  async #cutOff(): Promise<void> {
    await this.#file?.truncate(this.#size).catch((error: unknown) => {
      this.#options.warn('a failed journal write could not be cut off', { error });
    });
  }

  /** Writes the state to the next file under another name, and renames it when it is whole. */
  async #begin(): Promise<void> {
    const next = this.#generation + 1;
    const path = this.#path(next);
    const beside = `${path}.new`;
    await this.#disk.remove(beside);
    const file = await this.#disk.open(beside);
    const buffers = this.#options.dump().map(entry => frame(Buffer.from(JSON.stringify(entry))));
    try {
      await file.write(buffers, 0);
      await file.sync();
      await this.#disk.rename(beside, path);
    } catch (error) {
      await file.close();
      throw error;
    }
    await this.#disk.syncFolder(this.#folder);
    await this.#file?.close();
    await this.#disk.remove(this.#path(this.#generation));
    this.#generation = next;
    this.#file = file;
    this.#size = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    this.#beginningBytes = this.#size;
  }
}
