import { groups, type Pipeline, pipelines, topics } from '@tidemark/contracts';
import { type EndOffsets, endKey } from './end-offsets.ts';
import type { Partition } from './position-store.ts';
import type { Snapshot } from './snapshot.ts';

/** What is known about the pipelines of this stack when the consumer does not answer. */
const knownPipelines: Readonly<Record<string, Pick<Pipeline, 'group' | 'topic' | 'sink'>>> = {
  [pipelines.changesToLog]: { group: groups.changesLog, topic: topics.changes, sink: 'log' },
  [pipelines.changesToStore]: { group: groups.changes, topic: topics.changes, sink: 'change store' },
  [pipelines.reviewsToPostgres]: { group: groups.reviews, topic: topics.events, sink: 'reviews' },
  [pipelines.deadLettersToPostgres]: {
    group: groups.deadLetters,
    topic: topics.deadLetters,
    sink: 'dead letters',
  },
};

/** The pipelines: as the consumer reports them, or from their stored positions while it does not answer. */
export function listPipelines(snapshot: Snapshot): readonly Pipeline[] {
  const { consumer, ends } = snapshot;
  const reported = consumer.ok ? consumer.value : fromPositions(snapshot);
  return reported.map(pipeline => (ends.ok ? withEnds(pipeline, ends.value) : pipeline));
}

function fromPositions({ positions }: Snapshot): readonly Pipeline[] {
  const stored = positions.ok ? positions.value : new Map<string, readonly Partition[]>();
  const names = new Set([...Object.keys(knownPipelines), ...stored.keys()]);
  return [...names].map(name => {
    const partitions = [...(stored.get(name) ?? [])];
    const known = knownPipelines[name] ?? { group: '', topic: partitions[0]?.topic ?? '', sink: '' };
    return { name, ...known, state: 'unknown', lag: null, ratePerSec: null, partitions };
  });
}

/** The consumer samples the ends of partitions only now and then; these are fresh. */
function withEnds(pipeline: Pipeline, ends: EndOffsets): Pipeline {
  const partitions = pipeline.partitions.map(partition => {
    const end = ends.get(endKey(partition.topic, partition.partition));
    return end === undefined ? partition : { ...partition, ...behind(BigInt(partition.position), end) };
  });
  const lags = partitions.map(({ lag }) => lag);
  const known = lags.length > 0 && lags.every(lag => lag !== null);
  return { ...pipeline, partitions, lag: known ? sum(lags) : pipeline.lag };
}

/** The end may have been read before the position, so the difference can be negative: then nothing is behind. */
function behind(position: bigint, end: bigint): Pick<Partition, 'endOffset' | 'lag'> {
  return { endOffset: String(end), lag: end > position ? Number(end - position) : 0 };
}

export function sum(values: readonly (number | null)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}
