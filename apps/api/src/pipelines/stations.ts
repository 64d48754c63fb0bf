import { changefeedId, type Pipeline, pipelines, type Station, topics } from '@tidemark/contracts';
import { select, total } from './exposition.ts';
import { sum } from './pipeline-list.ts';
import type { Rates } from './rates.ts';
import type { Snapshot } from './snapshot.ts';

/** The stations on the way of a change, in order. */
export function drawStations(snapshot: Snapshot, list: readonly Pipeline[], rates: Rates): Station[] {
  const toStore = list.find(({ name }) => name === pipelines.changesToStore);
  const measured = [
    database(snapshot),
    capture(snapshot),
    broker(snapshot),
    consumer(snapshot, toStore),
    store(snapshot, toStore),
  ];
  return measured.map(station => ({
    ...station,
    ratePerSec: rates.perSecond(station.id, station.total, snapshot.atMs),
  }));
}

type Measured = Omit<Station, 'ratePerSec'>;

function database({ source }: Snapshot): Measured {
  const base = { id: 'database', label: 'Database', lag: null } as const;
  if (!source.ok) return { ...base, state: 'down', total: null, detail: source.reason };
  const { serverVersion, rowsChanged } = source.value;
  return { ...base, state: 'ok', total: rowsChanged, detail: `PostgreSQL ${serverVersion}` };
}

function capture({ capture: metrics }: Snapshot): Measured {
  const base = { id: 'capture', label: 'Capture' } as const;
  if (!metrics.ok) return { ...base, state: 'down', total: null, lag: null, detail: metrics.reason };
  const states = select(metrics.value, 'capture_state').filter(({ value }) => value === 1);
  const unwell = states.filter(
    ({ labels }) => labels['state'] !== 'normal' && labels['state'] !== 'finished',
  );
  const lags = select(metrics.value, 'capture_lag_seconds').map(({ value }) => value);
  const [first] = unwell.length > 0 ? unwell : states;
  return {
    ...base,
    state: unwell.length === 0 ? 'ok' : 'degraded',
    total: total(metrics.value, 'capture_changes_total') ?? 0,
    lag: lags.length === 0 ? null : { value: Math.max(...lags), unit: 'seconds' },
    detail: first
      ? `changefeed ${first.labels['changefeed'] ?? changefeedId} is ${first.labels['state'] ?? 'unknown'}`
      : 'no changefeed yet',
  };
}

function broker({ ends }: Snapshot): Measured {
  const base = { id: 'broker', label: 'Broker', lag: null } as const;
  if (!ends.ok) return { ...base, state: 'down', total: null, detail: ends.reason };
  const ofChanges = [...ends.value].filter(([key]) => key.startsWith(`${topics.changes}:`));
  const written = ofChanges.reduce((count, [, end]) => count + Number(end), 0);
  const partitions = ofChanges.length === 1 ? '1 partition' : `${ofChanges.length} partitions`;
  return { ...base, state: 'ok', total: written, detail: `${topics.changes}, ${partitions}` };
}

const stationStates: Readonly<Record<string, Station['state']>> = {
  running: 'ok',
  waiting: 'degraded',
  paused: 'degraded',
  stopped: 'down',
};

function consumer({ consumer: answer }: Snapshot, toStore: Pipeline | undefined): Measured {
  const base = { id: 'consumer', label: 'Consumer' } as const;
  const lag = typeof toStore?.lag === 'number' ? ({ value: toStore.lag, unit: 'events' } as const) : null;
  const read = toStore ? sum(toStore.partitions.map(({ ledger }) => ledger.read)) : null;
  if (!answer.ok) return { ...base, state: 'down', total: read, lag, detail: answer.reason };
  const state = stationStates[toStore?.state ?? ''] ?? 'unknown';
  const detail = toStore
    ? `${toStore.name} is ${toStore.state}`
    : `${pipelines.changesToStore} is not hosted`;
  return { ...base, state, total: read, lag, detail };
}

function store({ positions, freshness }: Snapshot, toStore: Pipeline | undefined): Measured {
  const base = { id: 'store', label: 'Change store', lag: null } as const;
  if (!positions.ok) return { ...base, state: 'down', total: null, detail: positions.reason };
  const stored = toStore ? sum(toStore.partitions.map(({ ledger }) => ledger.delivered)) : 0;
  const recent = freshness.ok ? freshness.value.changes : 0;
  const detail = recent === 0 ? 'nothing new in the last five minutes' : 'change_events in PostgreSQL';
  return { ...base, state: 'ok', total: stored, detail };
}
