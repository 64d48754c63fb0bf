import { CompressionAlgorithms, type MessageToProduce, ProduceAcks, Producer } from '@platformatic/kafka';
import { TidemarkError } from '@tidemark/kernel';
import { clientOptions, type KafkaConnection } from './client-options.ts';

/** A message to be produced. The partition follows from the key (murmur2, as in every Kafka client) unless given. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
  readonly headers?: readonly (readonly [key: string | Buffer, value: Buffer | null])[];
  readonly partition?: number;
  readonly timestampMs?: number;
}

export interface SendOptions {
  /** With gzip, which every broker and client knows. A topic's limit on sizes counts compressed bytes. */
  readonly compressed?: boolean;
}

/** Sends batches; `send` resolves when all in-sync replicas have every message. */
export interface MessageSender {
  send(messages: readonly OutgoingMessage[], options?: SendOptions): Promise<void>;
  close(): Promise<void>;
}

/**
 * A producer that waits for all in-sync replicas. Idempotent unless switched off: a batch that the client repeats
 * after a lost answer is stored once (KIP-98).
 */
export function createMessageSender(
  connection: KafkaConnection,
  options: { readonly idempotent?: boolean } = {},
): MessageSender {
  let producer: Producer | undefined;
  let closed = false;
  const open = () =>
    new Producer({
      ...clientOptions(connection),
      acks: ProduceAcks.ALL,
      idempotent: options.idempotent ?? true,
      autocreateTopics: false,
    });
  return {
    async send(messages, { compressed = false } = {}) {
      if (closed) throw new TidemarkError('PRODUCER_CLOSED', 'the producer is closed');
      if (messages.length === 0) return;
      producer ??= open();
      const used = producer;
      try {
        await used.send({
          messages: messages.map(toProduce),
          ...(compressed && { compression: CompressionAlgorithms.GZIP }),
        });
      } catch (error) {
        // Sequence numbers of a failed batch are used up: only a new producer id continues without a gap.
        if (producer === used) producer = undefined;
        await used.close().catch(() => {});
        throw error;
      }
    },
    async close() {
      closed = true;
      await producer?.close();
    },
  };
}

function toProduce(message: OutgoingMessage): MessageToProduce {
  const { topic, key, value, headers, partition, timestampMs } = message;
  return {
    topic,
    ...(key === undefined ? {} : { key }),
    ...(value === undefined ? {} : { value }),
    ...(headers === undefined ? {} : { headers: headerMap(headers) }),
    ...(partition === undefined ? {} : { partition }),
    ...(timestampMs === undefined ? {} : { timestamp: BigInt(timestampMs) }),
  };
}

/**
 * A name may stand there twice, so each is a key of its own. The client writes null as null although its types do not
 * say so.
 */
function headerMap(headers: NonNullable<OutgoingMessage['headers']>): Map<Buffer, Buffer> {
  return new Map(headers.map(([name, content]) => [Buffer.from(name as string), content as Buffer]));
}
