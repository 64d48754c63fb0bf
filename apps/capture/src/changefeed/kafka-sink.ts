import { changeTopic, type PlacedMessage } from '@tidemark/connectors/change-topic';
import { headers } from '@tidemark/contracts/names';
import type { OutboundMessage } from '../stream/outbox.ts';
import type { ChangeSink } from '../stream/sink.ts';
import type { KafkaSinkUri } from './sink-uri.ts';

/** A changefeed's topic on Kafka. Every message says which change it is, so that a repeat can be recognised. */
export function kafkaSink(uri: KafkaSinkUri, changefeed: string, now: () => number): ChangeSink {
  const topic = changeTopic({
    brokers: uri.brokers,
    clientId: uri.clientId ?? `tidemark-capture-${changefeed}`,
    topic: uri.topic,
    partitions: uri.partitions,
    replicas: uri.replicas,
    create: uri.createTopic,
    compression: uri.compression,
    ...(uri.tls ? { tls: { verify: !uri.insecureSkipVerify } } : {}),
    ...(uri.sasl === undefined ? {} : { sasl: uri.sasl }),
  });
  return {
    open: () => topic.open(),
    send: messages => {
      const timestampMs = now();
      return topic.send(messages.map(message => place(message, timestampMs)));
    },
    close: () => topic.close(),
  };
}

function place(message: OutboundMessage, timestampMs: number): PlacedMessage {
  const named = new Map<string, string>();
  if (message.changeId !== undefined) named.set(headers.changeId, message.changeId);
  if (message.traceparent !== undefined) named.set(headers.traceparent, message.traceparent);
  return { partition: message.partition, value: message.value, headers: named, timestampMs };
}
