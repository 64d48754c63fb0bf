const newline = 0x0a;

/** A line without end is handed on in pieces of this size, bytes; memory stays bounded whatever a program prints. */
const pieceBytes = 256 * 1024;

/** Puts the chunks of a stream together to full lines. */
export class LineAssembler {
  readonly #emit: (lines: Buffer) => void;
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** @param emit takes one or more full lines, each with its line end */
  constructor(emit: (lines: Buffer) => void) {
    this.#emit = emit;
  }

  write(chunk: Buffer): void {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end > 0) {
      this.#emit(Buffer.concat([...this.#rest, chunk.subarray(0, end)]));
      this.#forget();
    }
    if (end === chunk.length) return;
    this.#rest.push(chunk.subarray(end));
    this.#restBytes += chunk.length - end;
    if (this.#restBytes >= pieceBytes) this.end();
  }

  /** What is left without a line end becomes a line. */
  end(): void {
    if (this.#restBytes === 0) return;
    this.#emit(Buffer.concat([...this.#rest, Buffer.of(newline)]));
    this.#forget();
  }

  #forget(): void {
    this.#rest = [];
    this.#restBytes = 0;
  }
}
