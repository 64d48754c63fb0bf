import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deferred } from '@tidemark/kernel';

/** What the peer does with a request. */
export type Answer = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void;

/** A real HTTP server on a free port that can go away, come back, and leave requests without an answer. */
export class HttpPeer {
  answer: Answer;
  #server: Server | undefined;
  #port = 0;
  #hanging: ReturnType<typeof deferred<void>> | undefined;

  constructor(answer: Answer) {
    this.answer = answer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (this.#hanging) this.#hanging.resolve();
        else this.answer(request, Buffer.concat(chunks), response);
      });
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server?.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  readonly outage = { begin: () => this.stop(), end: () => this.start() };

  readonly hang = {
    begin: async () => {
      this.#hanging = deferred();
    },
    reached: async () => this.#hanging?.promise,
    end: async () => {
      this.#hanging = undefined;
    },
  };
}
