import { type FileHandle, open, stat } from 'node:fs/promises';
import { errorCode } from '@tidemark/kernel';
import { lastLines, readRange, splitLines } from './last-lines.ts';

/** How much is read at once, bytes; a longer line is shown in pieces. */
const blockBytes = 256 * 1024;
const newline = 0x0a;

/**
 * Reads a log file on as it grows. It holds the file open, so that a file that is set aside is read to its end
 * before the new one of the same name is begun.
 */
export class LogFollower {
  readonly #path: string;
  #file: FileHandle | undefined;
  #position = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The last lines that are there now; the reading goes on after them. */
  async tail(count: number): Promise<readonly string[]> {
    const file = await this.#opened();
    if (!file) return [];
    const { lines, end } = await lastLines(file, count);
    this.#position = end;
    return lines;
  }

  /** Full lines that were added since the last call, one block at a time. */
  async *added(): AsyncGenerator<readonly string[], void, undefined> {
    for (let file = await this.#opened(); file; file = await this.#opened()) {
      // Asked before reading: what is written into a file that was set aside is written before it is set aside.
      const setAside = await this.#isSetAside(file);
      yield* this.#rest(file);
      if (!setAside) return;
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    this.#position = 0;
  }

  async *#rest(file: FileHandle): AsyncGenerator<readonly string[], void, undefined> {
    for (;;) {
      const { size } = await file.stat();
      if (size < this.#position) this.#position = 0; // somebody emptied it
      const block = await readRange(file, this.#position, Math.min(size, this.#position + blockBytes));
      const lineEnd = block.lastIndexOf(newline) + 1;
      const end = lineEnd === 0 && block.length === blockBytes ? blockBytes : lineEnd;
      if (end === 0) return;
      this.#position += end;
      const text = block.subarray(0, end);
      yield lineEnd === 0 ? [text.toString()] : splitLines(text);
    }
  }

  async #opened(): Promise<FileHandle | undefined> {
    if (this.#file) return this.#file;
    try {
      this.#file = await open(this.#path, 'r');
      return this.#file;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined; // set aside a moment ago, or not yet written
      throw error;
    }
  }

  async #isSetAside(file: FileHandle): Promise<boolean> {
    const [ours, current] = await Promise.all([file.stat(), stat(this.#path).catch(() => undefined)]);
    return current !== undefined && (current.ino !== ours.ino || current.dev !== ours.dev);
  }
}
