import { TidemarkError } from '@tidemark/kernel';

/** Disk that the large transactions of a changefeed may take together. */
export class SpoolSpace {
  readonly #folder: string;
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(folder: string, bytesMax: number) {
    this.#folder = folder;
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws TidemarkError `SPOOL_FULL` */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax) {
      throw spoolFull(this.#folder, `more than ${this.#bytesMax} bytes are needed`);
    }
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Large transactions cannot be kept here. The server can, and does when it is not asked to stream them. */
export function spoolFull(folder: string, reason: string): TidemarkError {
  return new TidemarkError('SPOOL_FULL', `no room for large transactions in ${folder}: ${reason}`, {
    hint: 'Until capture is restarted the server keeps them. Free disk space, or put CAPTURE_DATA_DIR where there is some.',
  });
}
