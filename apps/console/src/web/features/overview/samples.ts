import type { Overview, Station } from '@tidemark/contracts';

/** What the charts keep of one overview. */
export interface Sample {
  /** Seconds since the Unix epoch. */
  readonly atSec: number;
  readonly rates: Readonly<Partial<Record<Station['id'], number | null>>>;
  /** Events that consumers have yet to read. */
  readonly lagEvents: number | null;
  readonly p50Seconds: number | null;
  readonly p99Seconds: number | null;
}

/** Half an hour at one sample every two seconds. */
const samplesMax = 900;

/** A bounded series that lives as long as the page, across navigation. */
export interface SampleStore {
  readonly add: (overview: Overview) => void;
  /** The same array until a sample is added. */
  readonly all: () => readonly Sample[];
  readonly subscribe: (listener: () => void) => () => void;
}

export function createSampleStore(max: number = samplesMax): SampleStore {
  let kept: readonly Sample[] = [];
  const listeners = new Set<() => void>();
  return {
    add(overview) {
      const sample = sampleOf(overview);
      if (sample.atSec <= (kept.at(-1)?.atSec ?? 0)) return;
      kept = [...kept, sample].slice(-max);
      for (const listener of listeners) listener();
    },
    all: () => kept,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function sampleOf(overview: Overview): Sample {
  const consumer = overview.stations.find(station => station.id === 'consumer');
  return {
    atSec: Date.parse(overview.at) / 1000,
    rates: Object.fromEntries(overview.stations.map(station => [station.id, station.ratePerSec])),
    lagEvents: consumer?.lag?.unit === 'events' ? consumer.lag.value : null,
    p50Seconds: overview.freshness.p50Seconds,
    p99Seconds: overview.freshness.p99Seconds,
  };
}

/** The page's own series. */
export const samples = createSampleStore();
