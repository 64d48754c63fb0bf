import { type FileHandle, open, rm } from 'node:fs/promises';
import { describeError } from '@tidemark/kernel';
import { type SpoolSpace, spoolFull } from './spool-space.ts';

const firstTailBytes = 4096;
/** What is read at a time. */
const readBytes = 1024 * 1024;
/** int32 length of the message, int32 number of the part that it belongs to. */
const recordHead = 8;

/** Takes a message of pgoutput that begins at `start`; a promise asks to wait before the next one. */
export type MessageVisitor = (bytes: Buffer, start: number) => Promise<void> | undefined;

/**
 * The messages of one transaction that has not ended, in a file of its own. Nothing is synchronised to disk: after a
 * crash the server sends the transaction again from its beginning. Parts that were rolled back are passed over when the
 * messages are read.
 */
export class TransactionSpool {
  readonly #path: string;
  readonly #space: SpoolSpace;
  #file: FileHandle | undefined;
  #fileBytes = 0;
  #tail = Buffer.alloc(0);
  #tailEnd = 0;
  #aborted: number[] = [];

  constructor(path: string, space: SpoolSpace) {
    this.#path = path;
    this.#space = space;
    space.enter();
  }

  /**
   * Appends a message: its letter, then what stands in the bytes from `body` on.
   * @returns a promise when memory is full: nothing may be appended before it resolves
   */
  append(part: number, letter: number, bytes: Buffer, body: number): Promise<void> | undefined {
    const length = 1 + bytes.length - body;
    const full = this.#makeRoom(recordHead + length);
    const tail = this.#tail;
    tail.writeUInt32BE(length, this.#tailEnd);
    tail.writeUInt32BE(part, this.#tailEnd + 4);
    tail[this.#tailEnd + recordHead] = letter;
    bytes.copy(tail, this.#tailEnd + recordHead + 1, body);
    this.#tailEnd += recordHead + length;
    return full === undefined ? undefined : this.#write(full);
  }

  /** A part of the transaction was rolled back. */
  abort(part: number): void {
    this.#aborted.push(part);
  }

  /** Shows the messages that count, in their order. */
  async replay(visit: MessageVisitor): Promise<void> {
    const isAborted = membership(this.#aborted);
    for await (const chunk of this.#chunks()) {
      for (let at = 0; at < chunk.length; ) {
        const end = at + recordHead + chunk.readUInt32BE(at);
        if (!isAborted(chunk.readUInt32BE(at + 4))) {
          const wait = visit(chunk, at + recordHead);
          if (wait !== undefined) await wait;
        }
        at = end;
      }
    }
  }

  /** Removes the file. */
  async discard(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#space.leave();
    this.#space.give(this.#fileBytes);
    this.#fileBytes = 0;
    if (file === undefined) return;
    await file.close();
    await rm(this.#path, { force: true });
  }

  /** Makes the tail large enough for a message; answers what has to go to disk for that, if anything. */
  #makeRoom(bytes: number): Buffer | undefined {
    const tailBytes = this.#space.shareBytes;
    const needed = this.#tailEnd + bytes;
    if (needed <= this.#tail.length) return undefined;
    const held = this.#tail.subarray(0, this.#tailEnd);
    if (needed <= tailBytes) {
      const grown = Math.min(tailBytes, Math.max(firstTailBytes, needed, this.#tail.length * 2));
      this.#tail = Buffer.allocUnsafeSlow(grown);
      held.copy(this.#tail);
      return undefined;
    }
    this.#tail = Buffer.allocUnsafeSlow(Math.max(tailBytes, bytes));
    this.#tailEnd = 0;
    return held.length === 0 ? undefined : held;
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#space.take(bytes.length);
    this.#fileBytes += bytes.length;
    try {
      this.#file ??= await open(this.#path, 'wx+', 0o600);
      for (let done = 0; done < bytes.length; ) {
        done += (await this.#file.write(bytes, done)).bytesWritten;
      }
    } catch (error) {
      throw spoolFull(this.#path, describeError(error));
    }
  }

  /** The bytes in pieces of whole messages: what is on disk, then what is still in memory. */
  async *#chunks(): AsyncGenerator<Buffer> {
    let buffer = Buffer.allocUnsafeSlow(this.#fileBytes === 0 ? 0 : readBytes);
    let held = 0;
    for (let position = 0; position < this.#fileBytes; ) {
      const { bytesRead } = await (this.#file as FileHandle).read(
        buffer,
        held,
        buffer.length - held,
        position,
      );
      if (bytesRead === 0) throw new RangeError(`${this.#path} is shorter than what was written to it`);
      position += bytesRead;
      held += bytesRead;
      const whole = endOfWholeRecords(buffer, held);
      yield buffer.subarray(0, whole);
      const rest = buffer.subarray(whole, held);
      const wanted = rest.length < recordHead ? recordHead : recordHead + rest.readUInt32BE(0);
      if (wanted > buffer.length) {
        buffer = Buffer.allocUnsafeSlow(wanted);
        rest.copy(buffer);
      } else {
        buffer.copyWithin(0, whole, held);
      }
      held = rest.length;
    }
    yield this.#tail.subarray(0, this.#tailEnd);
  }
}

function endOfWholeRecords(bytes: Buffer, end: number): number {
  let at = 0;
  while (at + recordHead <= end) {
    const next = at + recordHead + bytes.readUInt32BE(at);
    if (next > end) break;
    at = next;
  }
  return at;
}

/** Tells whether a number is in the list. Asked for runs of the same number, and lists can be long. */
function membership(list: readonly number[]): (value: number) => boolean {
  const sorted = Uint32Array.from(list).sort();
  let last = -1;
  let answer = false;
  return value => {
    if (value === last) return answer;
    last = value;
    answer = includes(sorted, value);
    return answer;
  };
}

function includes(sorted: Uint32Array, value: number): boolean {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sorted[middle] as number) < value) from = middle + 1;
    else to = middle;
  }
  return sorted[from] === value;
}
