import { Consumer, FetchIsolationLevels, stringDeserializers } from '@platformatic/kafka';
import { type BrokerTarget, uniqueName } from './target.ts';

/** One consumed message with its texts decoded. */
export interface ReadMessage {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | undefined;
  /** Empty for a tombstone. */
  readonly value: string;
}

export interface ReadOptions {
  /** How many messages to wait for. */
  readonly count: number;
  readonly committedOnly?: boolean;
  readonly groupId?: string;
  readonly timeoutMs?: number;
}

/** Consumes a topic from its beginning with @platformatic/kafka until `count` messages came; fails after the timeout. */
export async function readAll(
  target: BrokerTarget,
  topic: string,
  options: ReadOptions,
): Promise<ReadMessage[]> {
  const consumer = new Consumer({
    clientId: 'contract-platformatic',
    groupId: options.groupId ?? uniqueName('reader'),
    bootstrapBrokers: [target.address()],
    deserializers: stringDeserializers,
    maxWaitTime: 200,
    isolationLevel: options.committedOnly
      ? FetchIsolationLevels.READ_COMMITTED
      : FetchIsolationLevels.READ_UNCOMMITTED,
  });
  const found: ReadMessage[] = [];
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false });
  const timer = setTimeout(() => {
    stream.destroy(new Error(`only ${found.length} of ${options.count} messages of ${topic} arrived`));
  }, options.timeoutMs ?? 10_000);
  try {
    for await (const { partition, offset, key, value } of stream) {
      found.push({ partition, offset, key, value: value ?? '' });
      if (found.length >= options.count) break;
    }
    return found;
  } finally {
    clearTimeout(timer);
    await consumer.close(true);
  }
}
