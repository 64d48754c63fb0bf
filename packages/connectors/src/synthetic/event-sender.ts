import type { Clock } from '@tidemark/kernel';
import type { KafkaConnection } from '../kafka/client-options.ts';
import { createMessageSender, type MessageSender } from '../kafka/kafka-producer.ts';
import { ensureTopics } from '../kafka/topics.ts';
import type { EncodedEvent } from './event-generator.ts';

export interface SenderObserver {
  acknowledged?(events: number, durationMs: number): void;
  failed?(error: unknown): void;
}

/** Sends events to one topic, which is created when it does not exist. */
export class EventSender {
  readonly #connection: KafkaConnection;
  readonly #topic: string;
  readonly #clock: Clock;
  readonly #observer: SenderObserver;
  readonly #sender: MessageSender;
  #topicExists: Promise<void> | undefined;

  constructor(connection: KafkaConnection, topic: string, clock: Clock, observer: SenderObserver = {}) {
    this.#connection = connection;
    this.#topic = topic;
    this.#clock = clock;
    this.#observer = observer;
    this.#sender = createMessageSender(connection);
  }

  /** Resolves when the broker has acknowledged all of them. */
  async send(events: readonly EncodedEvent[]): Promise<void> {
    const startedMs = this.#clock.monotonic();
    try {
      await this.#ensureTopic();
      await this.#sender.send(events.map(({ key, value }) => ({ topic: this.#topic, key, value })));
    } catch (error) {
      this.#observer.failed?.(error);
      throw error;
    }
    this.#observer.acknowledged?.(events.length, this.#clock.monotonic() - startedMs);
  }

  /** Resolves when a broker answers; creates the topic if need be. */
  ping(): Promise<void> {
    return ensureTopics(this.#connection, [this.#topic]);
  }

  close(): Promise<void> {
    return this.#sender.close();
  }

  #ensureTopic(): Promise<void> {
    this.#topicExists ??= ensureTopics(this.#connection, [this.#topic]).catch((error: unknown) => {
      this.#topicExists = undefined;
      throw error;
    });
    return this.#topicExists;
  }
}
