import { type Pipeline, PipelineList } from '@tidemark/contracts';
import type { Clock } from '@tidemark/kernel';
import type { EventBroker } from '../broker/event-broker.ts';
import { type EndOffsets, readEndOffsets } from './end-offsets.ts';
import { parseExposition, type Sample } from './exposition.ts';
import type { Freshness, Partition, PositionStore, SourceFacts } from './position-store.ts';
import { type Answer, answerOf, getText } from './service-answer.ts';

/** A pipeline as the consumer reports it. */
export type ReportedPipeline = Pipeline & { readonly unaccounted?: number };

/** Everything that is known about the way of a change at one moment, with the gaps named. */
export interface Snapshot {
  readonly at: Date;
  /** Monotonic, for rates. */
  readonly atMs: number;
  readonly source: Answer<SourceFacts>;
  readonly positions: Answer<ReadonlyMap<string, readonly Partition[]>>;
  readonly freshness: Answer<Freshness>;
  readonly capture: Answer<readonly Sample[]>;
  readonly ends: Answer<EndOffsets>;
  readonly consumer: Answer<readonly ReportedPipeline[]>;
}

export interface SnapshotParts {
  readonly store: PositionStore;
  readonly broker: EventBroker;
  readonly urls: { readonly capture: string; readonly consumer: string; readonly broker: string };
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
}

/** Whether a value has the shape of a schema. */
export type ShapeCheck = (schema: object, value: unknown) => boolean;

const maxAgeMs = 2000;

/** Takes snapshots: only when asked, one at a time however many ask, and not more often than every two seconds. */
export function createSnapshots(parts: SnapshotParts): (hasShape: ShapeCheck) => Promise<Snapshot> {
  let latest: { readonly taken: Promise<Snapshot>; readonly atMs: number } | undefined;
  return hasShape => {
    const atMs = parts.clock.monotonic();
    if (!latest || atMs - latest.atMs >= maxAgeMs) latest = { taken: take(parts, hasShape, atMs), atMs };
    return latest.taken;
  };
}

async function take(parts: SnapshotParts, hasShape: ShapeCheck, atMs: number): Promise<Snapshot> {
  const { store, broker, urls, clock } = parts;
  const metrics = async (url: string) => parseExposition(await getText(url, '/metrics'));
  const brokerMetrics = answerOf(metrics(urls.broker));
  const [source, positions, freshness, capture, ends, consumer] = await Promise.all([
    answerOf(store.source()),
    answerOf(store.positions()),
    answerOf(store.freshness()),
    answerOf(metrics(urls.capture)),
    answerOf(brokerMetrics.then(answer => readEndOffsets(answer, broker))),
    answerOf(askConsumer(urls.consumer, hasShape)),
  ]);
  return { at: new Date(clock.now()), atMs, source, positions, freshness, capture, ends, consumer };
}

async function askConsumer(url: string, hasShape: ShapeCheck): Promise<readonly ReportedPipeline[]> {
  const report = JSON.parse(await getText(url, '/pipelines')) as { items: readonly ReportedPipeline[] };
  if (!hasShape(PipelineList, report))
    throw new Error(`${url}/pipelines answers in a shape that is not known`);
  return report.items;
}
