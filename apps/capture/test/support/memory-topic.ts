import { decode, type RowChange } from '@tidemark/canal-json';
import { systemClock } from '@tidemark/kernel';
import type { OutboundMessage } from '../../src/stream/outbox.ts';
import type { ChangeSink } from '../../src/stream/sink.ts';

/** A topic in memory that can be told to fail, in the places where a broker does. */
export class MemoryTopic {
  /** Messages about changes. */
  readonly messages: (OutboundMessage & { readonly changeId: string })[] = [];
  readonly watermarks: OutboundMessage[] = [];
  /** Rejects every batch with this while it is set. */
  failure: Error | undefined;
  /** Takes the next batch, but its acknowledgement is lost. */
  loseNextAnswer = false;
  /** How long a batch takes. */
  delayMs = 0;

  /** A sink as a session opens it. */
  sink(): ChangeSink {
    return {
      partitions: 3,
      open: async () => this.#refuse(),
      send: async messages => {
        if (this.delayMs > 0) await systemClock.sleep(this.delayMs);
        this.#refuse();
        for (const message of messages) this.#append(message);
        if (!this.loseNextAnswer) return;
        this.loseNextAnswer = false;
        throw new Error('the answer was lost');
      },
      close: async () => {},
    };
  }

  rows(): RowChange[] {
    return this.messages.map(({ value }) => {
      const message = decode(value);
      if (message.kind !== 'row') throw new Error(`not a row: ${message.kind}`);
      return message;
    });
  }

  #append(message: OutboundMessage): void {
    const { changeId } = message;
    if (changeId === undefined) this.watermarks.push(message);
    else this.messages.push({ ...message, changeId });
  }

  #refuse(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}
