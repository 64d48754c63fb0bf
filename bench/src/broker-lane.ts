import { connect, type Socket } from 'node:net';
import { headBytes } from './broker-frames.ts';

/** What one connection sends, and what it makes of the answers. */
export interface Traffic {
  /** The next `count` requests as bytes. */
  requests(count: number): Buffer;
  /** Told the first bytes of an answer, its length field included; answers with the bytes of messages it stands for. */
  answered(head: Buffer): number;
}

const readBytes = 256 * 1024;

/**
 * One connection that keeps a number of requests under way. It reads into one piece of memory over and over and looks
 * at no more than the head of an answer, so that it costs little beside the broker on the same machine.
 */
export class Lane {
  readonly #socket: Socket;
  readonly #traffic: Traffic;
  readonly #depth: number;
  readonly #head = Buffer.alloc(headBytes);
  #headFilled = 0;
  #toSkip = 0;
  #running = true;
  #underWay: number;
  #stopped: () => void = () => {};
  #failed: (error: Error) => void = () => {};
  /** Answers received, and the bytes of messages that they stand for. */
  answers = 0;
  bytes = 0;

  constructor(port: number, depth: number, traffic: Traffic) {
    this.#traffic = traffic;
    this.#depth = depth;
    this.#underWay = depth;
    const buffer = Buffer.alloc(readBytes);
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer, callback: filled => this.#received(buffer.subarray(0, filled)) },
    });
    this.failure.catch(() => {}); // whoever measures looks at it
    this.#socket.once('connect', () => this.#socket.write(this.#traffic.requests(this.#depth)));
    this.#socket.once('error', this.#failed);
    this.#socket.once('close', () => this.#failed(new Error('the connection was closed')));
  }

  /** Rejects when the connection fails. */
  readonly failure = new Promise<never>((_, reject) => {
    this.#failed = reject;
  });

  /** Sends nothing more; resolves when everything under way was answered. */
  stop(): Promise<void> {
    this.#running = false;
    return new Promise(resolve => {
      this.#stopped = () => {
        this.#failed = () => {};
        this.#socket.destroy();
        resolve();
      };
      if (this.#underWay === 0) this.#stopped();
    });
  }

  #received(piece: Buffer): boolean {
    let done = 0;
    for (let at = 0; at < piece.length; ) {
      if (this.#toSkip > 0) {
        const skipped = Math.min(this.#toSkip, piece.length - at);
        this.#toSkip -= skipped;
        at += skipped;
        if (this.#toSkip === 0) done += this.#finish();
        continue;
      }
      at += this.#fillHead(piece, at);
      if (this.#headFilled >= 4 && this.#headFilled === this.#headSize()) {
        this.#toSkip = 4 + this.#head.readInt32BE(0) - this.#headFilled;
        if (this.#toSkip === 0) done += this.#finish();
      }
    }
    if (done > 0) this.#goOn(done);
    return true;
  }

  /** Bytes of the answer under way that belong to its head. */
  #headSize(): number {
    return this.#headFilled < 4 ? 4 : Math.min(4 + this.#head.readInt32BE(0), headBytes);
  }

  #fillHead(piece: Buffer, at: number): number {
    const copied = piece.copy(this.#head, this.#headFilled, at, at + this.#headSize() - this.#headFilled);
    this.#headFilled += copied;
    return copied;
  }

  #finish(): number {
    this.#headFilled = 0;
    this.answers += 1;
    try {
      this.bytes += this.#traffic.answered(this.#head);
    } catch (error) {
      this.#failed(error as Error);
      this.#socket.destroy();
    }
    return 1;
  }

  #goOn(done: number): void {
    if (this.#running) {
      this.#socket.write(this.#traffic.requests(done));
      return;
    }
    this.#underWay -= done;
    if (this.#underWay === 0) this.#stopped();
  }
}
