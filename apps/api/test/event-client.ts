import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { eventually } from '@tidemark/testkit';

export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** A client of server-sent events over a real socket, which can also stop reading. */
export class EventClient {
  readonly events: ReceivedEvent[] = [];
  /** The last event id as a browser would keep it: also events without data set it. */
  lastEventId = '';
  ended = false;
  #response: IncomingMessage | undefined;
  #text = '';

  static open(url: string, headers: Readonly<Record<string, string>>): Promise<EventClient> {
    const client = new EventClient();
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { headers, agent: false }, response => {
        if (response.statusCode !== 200) {
          response.resume();
          reject(new Error(`the stream was answered ${response.statusCode}`));
          return;
        }
        client.#response = response;
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => client.#take(chunk));
        response.on('error', () => {});
        response.on('close', () => {
          client.ended = true;
        });
        resolve(client);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  get keys(): string[] {
    return this.events
      .filter(({ type }) => type === 'change')
      .map(({ data }) => (JSON.parse(data) as { key: string }).key);
  }

  /** Waits until so many changes came. */
  changes(count: number): Promise<unknown> {
    return eventually(`${count} changes came`, () => this.keys.length >= count, { everyMs: 5 });
  }

  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  close(): void {
    this.#response?.destroy();
  }

  #take(chunk: string): void {
    const blocks = (this.#text + chunk).split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) this.#dispatch(block);
  }

  #dispatch(block: string): void {
    const fields: Record<string, string> = {};
    for (const line of block.split('\n')) {
      const match = /^(\w+): ?(.*)$/.exec(line);
      if (match) fields[match[1] ?? ''] = match[2] ?? '';
    }
    if (fields['id'] !== undefined) this.lastEventId = fields['id'];
    if (fields['data'] === undefined) return;
    this.events.push({ id: this.lastEventId, type: fields['event'] ?? 'message', data: fields['data'] });
  }
}
