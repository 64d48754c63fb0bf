import { readFile } from 'node:fs/promises';
import { type ChangeTopic, changeTopic, type PlacedMessage } from '@tidemark/connectors/change-topic';
import { headers } from '@tidemark/contracts/names';
import { describeError, TidemarkError } from '@tidemark/kernel';
import type { OutboundMessage } from '../stream/outbox.ts';
import type { ChangeSink } from '../stream/sink.ts';
import type { KafkaSinkUri } from './sink-uri.ts';

/** A changefeed's topic on Kafka. Every message says which change it is, so that a repeat can be recognised. */
export function kafkaSink(uri: KafkaSinkUri, changefeed: string, now: () => number): ChangeSink {
  let topic: ChangeTopic | undefined;
  let partitions = 0;
  return {
    get partitions() {
      return partitions;
    },
    async open() {
      topic = changeTopic({
        brokers: uri.brokers,
        clientId: uri.clientId ?? `tidemark-capture-${changefeed}`,
        topic: uri.topic,
        partitions: uri.partitions,
        replicas: uri.replicas,
        create: uri.createTopic,
        compression: uri.compression,
        connectTimeoutMs: uri.connectTimeoutMs,
        requestTimeoutMs: uri.requestTimeoutMs,
        ...(uri.tls === undefined ? {} : { tls: await readTls(uri.tls) }),
        ...(uri.sasl === undefined ? {} : { sasl: uri.sasl }),
      });
      partitions = await topic.open();
    },
    async send(messages) {
      if (topic === undefined) throw new Error('the sink is not open');
      for (const message of messages) checkSize(message, uri);
      const timestampMs = now();
      await topic.send(messages.map(message => place(message, timestampMs)));
    },
    close: async () => topic?.close(),
  };
}

function place(message: OutboundMessage, timestampMs: number): PlacedMessage {
  const named = new Map<string, string>();
  if (message.changeId !== undefined) named.set(headers.changeId, message.changeId);
  if (message.traceparent !== undefined) named.set(headers.traceparent, message.traceparent);
  return { partition: message.partition, value: message.value, headers: named, timestampMs };
}

function checkSize({ value, table, changeId }: OutboundMessage, uri: KafkaSinkUri): void {
  if (value.length <= uri.messageBytesMax) return;
  throw new TidemarkError(
    'KAFKA_REFUSED',
    `a change of ${table} makes a message of ${value.length} bytes, more than max-message-bytes=${uri.messageBytesMax}`,
    {
      hint: 'Raise max-message-bytes in the sink URI and max.message.bytes of the topic, or leave the large column out by column_selectors.',
      facts: { changeId },
    },
  );
}

async function readTls({ verify, caPath, certPath, keyPath }: NonNullable<KafkaSinkUri['tls']>) {
  const [ca, cert, key] = await Promise.all([
    readPem('ca', caPath),
    readPem('cert', certPath),
    readPem('key', keyPath),
  ]);
  return {
    verify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function readPem(parameter: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new TidemarkError(
      'SINK_URI_INVALID',
      `sink URI: ${parameter} cannot be read: ${describeError(error)}`,
      {
        hint: 'Name a PEM file that capture may read on its own machine.',
      },
    );
  }
}
