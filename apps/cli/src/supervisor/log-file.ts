import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs';
import { errorCode } from '@tidemark/kernel';

/** When a log file is set aside, bytes. */
const rotateAtBytes = 32 * 1024 * 1024;
/** How many set-aside files are kept: `name.log.1` is the newest of them. */
const keptFiles = 3;
/** Lines remembered for the message about a service that keeps dying. */
const tailLines = 40;

/** The output of one service, on disk; full lines are never split over two files. */
export class LogFile {
  readonly #path: string;
  #stream: WriteStream;
  #bytes: number;
  #tail: string[] = [];
  #partial = '';

  constructor(path: string) {
    this.#path = path;
    this.#bytes = sizeOf(path);
    this.#stream = open(path);
  }

  /** Appends output. False asks the caller to wait for `drained`, as streams do. */
  write(chunk: Buffer): boolean {
    this.#remember(chunk.toString());
    this.#bytes += chunk.length;
    const roomLeft = this.#stream.write(chunk);
    if (this.#bytes >= rotateAtBytes && chunk.at(-1) === 0x0a) this.#rotate();
    return roomLeft;
  }

  drained(): Promise<void> {
    return new Promise(resolve => this.#stream.once('drain', resolve));
  }

  /** The last lines, oldest first. */
  lastLines(count: number): readonly string[] {
    return this.#tail.slice(-count);
  }

  close(): Promise<void> {
    return new Promise(resolve => this.#stream.end(resolve));
  }

  #remember(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = (lines.pop() ?? '').slice(-4096);
    this.#tail = [...this.#tail, ...lines.slice(-tailLines)].slice(-tailLines);
  }

  #rotate(): void {
    this.#stream.end();
    for (let number = keptFiles; number >= 1; number -= 1) {
      const from = number === 1 ? this.#path : `${this.#path}.${number - 1}`;
      try {
        renameSync(from, `${this.#path}.${number}`);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
    this.#bytes = 0;
    this.#stream = open(this.#path);
  }
}

function open(path: string): WriteStream {
  const stream = createWriteStream(path, { flags: 'a' });
  // A log that cannot be written must not bring the services down: their work matters more than their words.
  stream.on('error', () => {});
  return stream;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
