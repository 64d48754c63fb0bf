import type { ServerResponse } from 'node:http';
import type { Clock } from '@tidemark/kernel';

export interface StreamedEvent {
  readonly id?: string;
  readonly type?: string;
  readonly data: string;
}

/** Why the server ends a stream. The client goes on with its last event id. */
export type CutReason = 'slow' | 'stopping' | 'signed_out';

/** Unsent bytes that a client may leave in our memory. */
const unsentBytesMax = 1024 * 1024;

/**
 * Writes server-sent events (HTML standard, section "Server-sent events") to one client. What the client does not
 * take stays in memory up to a bound; who takes nothing for a while is told to reconnect, and let go.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #patienceMs: number;
  #ended = false;

  constructor(response: ServerResponse, clock: Pick<Clock, 'sleep'>, patienceMs = 10_000) {
    this.#response = response;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  get ended(): boolean {
    return this.#ended || this.#response.destroyed || this.#response.writableEnded;
  }

  /** Sends what no program needs to see: keeps proxies from closing the connection, and moves the last event id. */
  heartbeat(lastEventId: string): void {
    // An id without data changes the client's last event id and dispatches nothing, so that a resumed client does
    // not look again through all the changes that its filter left out.
    if (!this.ended && this.#response.writableLength < unsentBytesMax) {
      this.#response.write(`: ping\nid: ${lastEventId}\n\n`);
    }
  }

  /** Sends an event; waits while the client has too much unread, and cuts it off when that takes too long. */
  async send(event: StreamedEvent): Promise<void> {
    if (this.ended) return;
    this.#write(event);
    if (this.#response.writableLength > unsentBytesMax && !(await this.#drained())) this.cut('slow');
  }

  /** Ends the stream with an event that says why. */
  cut(reason: CutReason): void {
    if (this.ended) return;
    this.#write({ type: 'reconnect', data: JSON.stringify({ reason }) });
    this.#ended = true;
    this.#response.end();
    // Who does not read will not read the end either.
    void this.#clock.sleep(1000).then(() => this.#response.destroy());
  }

  #write({ id, type, data }: StreamedEvent): void {
    const fields = [
      ...(id === undefined ? [] : [`id: ${id}`]),
      ...(type === undefined ? [] : [`event: ${type}`]),
      `data: ${data}`,
    ];
    this.#response.write(`${fields.join('\n')}\n\n`);
  }

  async #drained(): Promise<boolean> {
    const response = this.#response;
    const settled = new AbortController();
    const drained = new Promise<boolean>(resolve => {
      response.once('drain', () => resolve(true));
      response.once('close', () => resolve(false));
    });
    const impatient = this.#clock.sleep(this.#patienceMs, settled.signal).then(
      () => false,
      () => false,
    );
    const result = await Promise.race([drained, impatient]);
    settled.abort();
    return result;
  }
}
