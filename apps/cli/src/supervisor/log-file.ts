import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { errorCode } from '@tidemark/kernel';
import { LineAssembler } from './line-assembler.ts';

export interface LogFileLimits {
  /** Size at which the file is set aside, bytes. */
  readonly rotateAtBytes: number;
  /** How many set-aside files are kept: `name.log.1` is the newest of them. */
  readonly keptFiles: number;
}

const usualLimits: LogFileLimits = { rotateAtBytes: 32 * 1024 * 1024, keptFiles: 3 };

/** Lines remembered for the message about a service that keeps dying. */
const tailLines = 40;
/** A remembered line is cut here, characters. */
const tailLineLength = 2000;

/** One of the streams whose output goes to a log file. */
export interface LogInput {
  write(chunk: Buffer): void;
  /** The stream is over; what it left without a line end becomes a line. */
  end(): void;
}

/**
 * The output of one service, on disk. Lines of several streams are never mixed, and never split over two files.
 *
 * Writing is synchronous: an append to a file is a copy into the page cache, nothing is buffered here that a kill of
 * the supervisor could lose, and a service that writes faster than the disk is slowed down by its pipe. A log that
 * cannot be written never brings a service down, because its work matters more than its words: the lines are dropped,
 * and once the disk takes some again, it is told how many.
 */
export class LogFile {
  readonly #path: string;
  readonly #limits: LogFileLimits;
  #file: number | undefined;
  #bytes = 0;
  #setAsideAtBytes: number;
  /** The last write stopped in the middle of a line. */
  #torn = false;
  #tail: string[] = [];
  #lost = { lines: 0, reason: '' };

  constructor(path: string, limits: LogFileLimits = usualLimits) {
    this.#path = path;
    this.#limits = limits;
    this.#setAsideAtBytes = limits.rotateAtBytes;
  }

  input(): LogInput {
    const lines = new LineAssembler(line => this.#append(line));
    return { write: chunk => lines.write(chunk), end: () => lines.end() };
  }

  /** The last lines, oldest first. */
  lastLines(count: number): readonly string[] {
    return this.#tail.slice(-count);
  }

  close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }

  /** Appends full lines, line ends included. */
  #append(lines: Buffer): void {
    this.#remember(lines);
    try {
      this.#file ??= this.#open();
      if (this.#bytes >= this.#setAsideAtBytes) this.#file = this.#setAside(this.#file);
      if (this.#lost.lines > 0) this.#tellLoss(this.#file);
      this.#write(this.#file, lines);
    } catch (error) {
      this.#lost = { lines: this.#lost.lines + countLines(lines), reason: errorCode(error) ?? String(error) };
      this.close(); // the next line tries anew from the start
    }
  }

  #open(): number {
    const file = openSync(this.#path, 'a');
    this.#bytes = fstatSync(file).size;
    return file;
  }

  #write(file: number, bytes: Buffer): void {
    for (let written = 0; written < bytes.length; ) {
      const count = writeSync(file, bytes, written);
      this.#torn = true;
      this.#bytes += count;
      written += count;
    }
    this.#torn = false;
  }

  #tellLoss(file: number): void {
    const { lines, reason } = this.#lost;
    const note = `tidemark: ${lines} lines could not be written here (${reason})\n`;
    this.#write(file, Buffer.from(this.#torn ? `\n${note}` : note));
    this.#lost = { lines: 0, reason: '' };
  }

  #setAside(file: number): number {
    closeSync(file);
    this.#file = undefined;
    for (let number = this.#limits.keptFiles; number >= 1; number -= 1) {
      const from = number === 1 ? this.#path : `${this.#path}.${number - 1}`;
      try {
        renameSync(from, `${this.#path}.${number}`);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') break; // not ours to move: the log goes on where it is for another round
      }
    }
    const next = this.#open();
    this.#setAsideAtBytes = this.#bytes + this.#limits.rotateAtBytes;
    return next;
  }

  #remember(lines: Buffer): void {
    const recent = lines.subarray(-tailLines * tailLineLength).toString();
    const texts = recent.split('\n').slice(0, -1);
    this.#tail = [...this.#tail, ...texts.map(text => text.slice(0, tailLineLength))].slice(-tailLines);
  }
}

function countLines(lines: Buffer): number {
  let count = 0;
  for (let at = lines.indexOf(0x0a); at !== -1; at = lines.indexOf(0x0a, at + 1)) count += 1;
  return count;
}
