import { topics } from '@tidemark/contracts';
import type { EventBroker, PartitionEnd } from '../broker/event-broker.ts';
import { type Sample, select } from './exposition.ts';
import type { Answer } from './service-answer.ts';

/** End offsets by `topic:partition`. */
export type EndOffsets = ReadonlyMap<string, bigint>;

export const endKey = (topic: string, partition: number) => `${topic}:${partition}`;

/**
 * Ends of the topics' partitions: from the broker's metrics, which are read anyway, else over the Kafka protocol, for
 * brokers that expose no such metrics. Rejects when neither gives an answer.
 */
export async function readEndOffsets(
  metrics: Answer<readonly Sample[]>,
  broker: EventBroker,
): Promise<EndOffsets> {
  const ends = metrics.ok ? fromMetrics(metrics.value) : [];
  if (ends.length > 0) return byKey(ends);
  await broker.check(AbortSignal.timeout(1000));
  return byKey(await broker.endOffsets(Object.values(topics)));
}

function fromMetrics(samples: readonly Sample[]): readonly PartitionEnd[] {
  return select(samples, 'broker_log_end_offset').flatMap(({ labels, value }) => {
    const { topic, partition } = labels;
    if (topic === undefined || partition === undefined || !Number.isSafeInteger(value)) return [];
    return [{ topic, partition: Number(partition), endOffset: BigInt(value) }];
  });
}

function byKey(ends: readonly PartitionEnd[]): EndOffsets {
  return new Map(ends.map(({ topic, partition, endOffset }) => [endKey(topic, partition), endOffset]));
}
