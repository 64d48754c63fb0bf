import { isXLogData, type Keepalive, readKeepalive, xLogDataHead } from '../protocol/wal-frame.ts';

/** Reads the message of the plugin that fills the buffer from `start`. */
export interface MessageReader {
  read(bytes: Buffer, start: number): void;
}

export interface FrameFeedOptions {
  readonly reader: MessageReader;
  readonly onKeepalive: (keepalive: Keepalive) => void;
  /** The bytes of the stream could not be understood, or a hold failed. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Feeds frames to the reader in order. A frame can call for something that takes time (a look into the catalog); until
 * it is there the frames that follow are kept, and the socket should be paused, so few of them do.
 */
export class FrameFeed {
  readonly #options: FrameFeedOptions;
  #backlog: Buffer[] = [];
  #holds = 0;
  #failed = false;

  constructor(options: FrameFeedOptions) {
    this.#options = options;
  }

  get isHeld(): boolean {
    return this.#holds > 0;
  }

  /** Takes a frame whose bytes are valid only during the call. */
  take(frame: Buffer): void {
    if (this.#failed) return;
    if (this.isHeld) this.#backlog.push(Buffer.from(frame));
    else this.#process(frame);
  }

  /** Keeps the frames behind the current one until the work is done. */
  holdUntil(work: Promise<void>, onReleased: () => void): void {
    this.#holds += 1;
    work.then(
      () => {
        this.#holds -= 1;
        this.#drain();
        if (!this.isHeld) onReleased();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #drain(): void {
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const [index, frame] of backlog.entries()) {
      if (this.isHeld) {
        this.#backlog = [...backlog.slice(index), ...this.#backlog];
        return;
      }
      this.#process(frame);
    }
  }

  #process(frame: Buffer): void {
    try {
      if (isXLogData(frame)) {
        this.#options.reader.read(frame, xLogDataHead);
        return;
      }
      const keepalive = readKeepalive(frame);
      if (keepalive !== undefined) this.#options.onKeepalive(keepalive);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failed = true;
    this.#backlog = [];
    this.#options.onFailure(error);
  }
}
