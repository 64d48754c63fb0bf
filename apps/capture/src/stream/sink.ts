import type { OutboundMessage } from './outbox.ts';

/** Where the messages of a changefeed go. */
export interface ChangeSink {
  /** To how many partitions messages may go; known once it is open. */
  readonly partitions: number;
  /** Makes the destination ready. */
  open(): Promise<void>;
  /**
   * Resolves when every message is stored safely, in order. Called again only after it has settled.
   * @throws TidemarkError `KAFKA_REFUSED` when trying again cannot help; any other error may pass
   */
  send(messages: readonly OutboundMessage[]): Promise<void>;
  close(): Promise<void>;
}
