import { TidemarkError } from '@tidemark/kernel';

/** Memory that all transactions under way are given before they go to disk, and the bounds of each one's share. */
const memoryBytes = 8 * 1024 * 1024;
const shareMin = 16 * 1024;
const shareMax = 256 * 1024;

/** Disk and memory that the large transactions of a changefeed may take together. */
export class SpoolSpace {
  readonly #folder: string;
  readonly #bytesMax: number;
  readonly #onChange: (bytes: number) => void;
  #bytes = 0;
  #spools = 0;

  /** @param onChange hears by how many bytes the files have grown, or shrunk when it is less than zero */
  constructor(folder: string, bytesMax: number, onChange: (bytes: number) => void = () => {}) {
    this.#folder = folder;
    this.#bytesMax = bytesMax;
    this.#onChange = onChange;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What a transaction may keep in memory; the more there are, the less. */
  get shareBytes(): number {
    return Math.min(shareMax, Math.max(shareMin, Math.floor(memoryBytes / Math.max(1, this.#spools))));
  }

  /** A transaction is under way. */
  enter(): void {
    this.#spools += 1;
  }

  leave(): void {
    this.#spools -= 1;
  }

  /** @throws TidemarkError `SPOOL_FULL` */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax) {
      throw spoolFull(this.#folder, `more than ${this.#bytesMax} bytes are needed`);
    }
    this.#bytes += bytes;
    this.#onChange(bytes);
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
    this.#onChange(-bytes);
  }
}

/** Large transactions cannot be kept here. The server can, and does when it is not asked to stream them. */
export function spoolFull(folder: string, reason: string): TidemarkError {
  return new TidemarkError('SPOOL_FULL', `no room for large transactions in ${folder}: ${reason}`, {
    hint: 'Until capture is restarted the server keeps them. Free disk space, or put CAPTURE_DATA_DIR where there is some.',
  });
}
