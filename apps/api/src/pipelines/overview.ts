import type { Overview } from '@tidemark/contracts';
import { listPipelines, sum } from './pipeline-list.ts';
import type { Rates } from './rates.ts';
import type { Snapshot } from './snapshot.ts';
import { drawStations } from './stations.ts';

/** The way of a change at one glance. */
export function drawOverview(snapshot: Snapshot, rates: Rates): Overview {
  const { consumer, freshness } = snapshot;
  const list = listPipelines(snapshot);
  const ledgers = list.flatMap(({ partitions }) => partitions.map(({ ledger }) => ledger));
  const unbooked = ledgers.map(
    ({ read, delivered, duplicate, filtered, deadLettered }) =>
      read - delivered - duplicate - filtered - deadLettered,
  );
  const reported = consumer.ok ? consumer.value.map(({ unaccounted }) => unaccounted ?? 0) : [];
  return {
    at: snapshot.at.toISOString(),
    stations: drawStations(snapshot, list, rates),
    freshness: freshness.ok ? freshness.value : { p50Seconds: null, p99Seconds: null, changes: 0 },
    // A stored ledger balances by a constraint of its table; the consumer adds what it holds in memory.
    unaccounted: consumer.ok ? sum(reported) : sum(unbooked),
    deadLetters: sum(ledgers.map(({ deadLettered }) => deadLettered)),
  };
}
