import { defaultAccount, type Session } from '@tidemark/contracts';
import type { Stack } from './stack.ts';

export interface ServerEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** A client of server-sent events, as the HTML standard describes the stream. */
export class ServerEvents {
  readonly #events: AsyncGenerator<ServerEvent>;
  readonly #abort: AbortController;

  private constructor(events: AsyncGenerator<ServerEvent>, abort: AbortController) {
    this.#events = events;
    this.#abort = abort;
  }

  static async open(url: string, stack: Stack, lastEventId?: string): Promise<ServerEvents> {
    const abort = new AbortController();
    const response = await fetch(url, {
      signal: abort.signal,
      headers: {
        authorization: `Bearer ${await token(stack)}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
    });
    if (!response.ok || !response.body) throw new Error(`the stream was answered ${response.status}`);
    return new ServerEvents(read(response.body), abort);
  }

  /** The next event that matches; fails after fifteen seconds. */
  async next(matches: (event: ServerEvent) => boolean): Promise<ServerEvent> {
    const timer = setTimeout(() => this.#abort.abort(new Error('no such event within 15 s')), 15_000);
    try {
      for (;;) {
        const { value, done } = await this.#events.next();
        if (done) throw new Error('the stream ended');
        if (matches(value)) return value;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#abort.abort();
  }
}

async function token(stack: Stack): Promise<string> {
  const response = await fetch(`${stack.http('api')}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(defaultAccount),
  });
  return ((await response.json()) as Session).token;
}

async function* read(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parse(block);
      if (event.data !== '') yield event;
    }
  }
}

function parse(block: string): ServerEvent {
  const fields: Record<string, string> = {};
  for (const line of block.split('\n')) {
    const match = /^(\w+): ?(.*)$/.exec(line);
    if (match) fields[match[1] ?? ''] = match[2] ?? '';
  }
  return { id: fields['id'] ?? '', type: fields['event'] ?? 'message', data: fields['data'] ?? '' };
}
