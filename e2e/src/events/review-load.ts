import { createMessageSender, type MessageSender, type OutgoingMessage } from '@tidemark/connectors';
import { topics } from '@tidemark/contracts';
import { systemClock } from '@tidemark/kernel';

/** Events of one send, their keys, and the pause between two sends, which leaves the services some of the machine. */
const batchEvents = 40;
const keys = 30;
const pauseMs = 25;
const retryMs = 100;

/**
 * Sends review events without a pause until it is stopped. A send that fails may have arrived or not: the same events
 * are sent again until they are acknowledged, as an application would, and nothing else in between. So every key's
 * numbers stand in the log in ascending order, first appearances counted, and some stand there twice.
 */
export class ReviewLoad {
  readonly #sender: MessageSender;
  readonly #label: string;
  readonly #random: () => number;
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();
  #sequence = 0;
  /** Events acknowledged since it was made. */
  acknowledged = 0;

  /** @param label makes the ids differ from those of another load */
  constructor(bootstrap: string, label: string, random: () => number) {
    this.#sender = createMessageSender({ brokers: [bootstrap], clientId: 'load' });
    this.#label = label;
    this.#random = random;
  }

  start(): void {
    this.#stopping = false;
    this.#loop = this.#run();
  }

  /** Resolves when everything sent is acknowledged. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#loop;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#sender.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const batch = Array.from({ length: batchEvents }, () => this.#next());
      await this.#persist(batch);
      this.acknowledged += batch.length;
      await systemClock.sleep(pauseMs);
    }
  }

  async #persist(batch: readonly OutgoingMessage[]): Promise<void> {
    for (;;) {
      try {
        await this.#sender.send(batch);
        return;
      } catch {
        await systemClock.sleep(retryMs);
      }
    }
  }

  /** The text of a review is its number in the load: order can be read from the rows. */
  #next(): OutgoingMessage {
    const number = (this.#sequence += 1);
    const key = `user:${Math.floor(this.#random() * keys)}`;
    const id = `${this.#label}-7000-8000-${number.toString(16).padStart(12, '0')}`;
    const event = {
      event_id: id,
      event_type: 'review_created',
      key,
      ts: new Date(systemClock.now()).toISOString(),
      schema_version: 1,
      payload: { review_id: `r-${id}`, rating: 1 + (number % 5), text: String(number) },
    };
    return { topic: topics.events, key: Buffer.from(key), value: Buffer.from(JSON.stringify(event)) };
  }
}
