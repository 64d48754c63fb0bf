import { connect, type Socket } from 'node:net';
import type { Api } from '../src/api/api.ts';
import { WireReader } from '../src/wire/wire-reader.ts';
import { encodeMessage, framed } from './frames.ts';

/** One connection that sends requests as they are declared and reads the answers, without any opinion of its own. */
export class RawClient {
  readonly #socket: Socket;
  readonly #waiting: { resolve(frame: Buffer): void; reject(error: Error): void }[] = [];
  #received = Buffer.alloc(0);

  constructor(address: string) {
    const [host = '', port = ''] = address.split(':');
    this.#socket = connect(Number(port), host);
    this.#socket.on('data', piece => this.#take(piece));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      for (const waiting of this.#waiting.splice(0)) waiting.reject(new Error('the broker hung up'));
    });
  }

  /** The decoded response; its type is the caller's knowledge. */
  async call<T>(api: Api, version: number, message: unknown): Promise<T> {
    const frame = await new Promise<Buffer>((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error('the broker hung up'));
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#socket.write(framed(encodeMessage(api, version, message)));
    });
    const reader = new WireReader(frame, 4);
    if (version >= api.flexibleSince) reader.taggedFields();
    return api.codecs(version).response.read(reader) as T;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(piece: Buffer): void {
    this.#received = Buffer.concat([this.#received, piece]);
    while (this.#received.length >= 4 && this.#received.length >= 4 + this.#received.readInt32BE(0)) {
      const end = 4 + this.#received.readInt32BE(0);
      this.#waiting.shift()?.resolve(this.#received.subarray(4, end));
      this.#received = this.#received.subarray(end);
    }
  }
}
