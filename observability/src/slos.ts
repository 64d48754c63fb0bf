import { changefeedId, furtherPipelines, pipelines } from '@tidemark/contracts/names';
import { edge, series } from './promql/series.ts';
import type { Slo } from './slo.ts';

/** Seconds within which the api has answered. An edge of the histogram, so that the share is exact. */
const apiLatencySeconds = 0.3;
/** Seconds after which a change has to be searchable. */
const freshnessSeconds = 10;

/** What people and programs ask for. Probes and scrapes come at any hour, and a readiness of 503 is an answer. */
const requested = {
  job: 'api',
  route: '!~/healthz|/readyz|/metrics|/api/(health|ready|metrics|db-health)',
} as const;
const store = pipelines.changesToStore;
const sumBy = 'sum by (pipeline)';

/**
 * 1 while every stage of the way of a change works and holds nothing back for too long. Each factor is missing when
 * its service is, and then so is the product: a service that says nothing is no good slice.
 */
const everyStageIsFresh = [
  `(max(${series('capture_state', { changefeed: changefeedId, state: 'normal' })}) == bool 1)`,
  `(max(${series('capture_lag_seconds', { changefeed: changefeedId })}) <= bool ${freshnessSeconds})`,
  `(max(${series('pipeline_state', { pipeline: store, state: 'running' })}) == bool 1)`,
  `(max(${series('pipeline_oldest_pending_seconds', { pipeline: store })}) <= bool ${freshnessSeconds})`,
  `(min(${series('up', { job: '=~capture|consumer' })}) == bool 1)`,
].join('\n* ');

export const slos = [
  {
    name: 'api-availability',
    title: 'API availability',
    promise: 'Whoever asks the api gets an answer that is not its fault.',
    definition:
      'A request is good when its status is below 500. Probes, metrics and the live feed are not counted.',
    objective: 0.999,
    period: '30d',
    indicator: {
      kind: 'events',
      unit: 'requests',
      valid: w => `sum(increase(${series('http_request_duration_seconds_count', requested)}[${w}]))`,
      bad: w =>
        `sum(increase(${series('http_request_duration_seconds_count', { ...requested, status_code: '=~5..' })}[${w}]))`,
    },
    badEventsMin: 5,
    service: 'api',
    team: 'platform',
    alert: 'ApiAvailabilityBurn',
    place: { dashboard: 'slo', row: 'API' },
    provocation:
      'Stop PostgreSQL under requests: `kill -STOP` its first process for a minute, then `kill -CONT`.',
  },
  {
    name: 'api-latency',
    title: 'API latency',
    promise: 'The console feels immediate.',
    definition: `A request that did not fail is good when it was answered within ${apiLatencySeconds} s.`,
    objective: 0.99,
    period: '30d',
    indicator: {
      kind: 'events',
      unit: 'requests',
      valid: w =>
        `sum(increase(${series('http_request_duration_seconds_count', { ...requested, status_code: '!~5..' })}[${w}]))`,
      good: w =>
        `sum(increase(${series('http_request_duration_seconds_bucket', { ...requested, status_code: '!~5..', le: edge(apiLatencySeconds) })}[${w}]))`,
    },
    badEventsMin: 5,
    service: 'api',
    team: 'platform',
    alert: 'ApiLatencyBurn',
    place: { dashboard: 'slo', row: 'API' },
    provocation:
      'Lock a table that the api reads: `BEGIN; LOCK TABLE users; SELECT pg_sleep(60);` in psql, under requests for users.',
  },
  {
    name: 'freshness',
    title: 'Freshness of changes',
    promise: 'A committed change can be searched within ten seconds.',
    definition: `A stored change is good when it was stored within ${freshnessSeconds} s of its commit. Changes that never arrive are seen by the other objectives only.`,
    objective: 0.99,
    period: '30d',
    indicator: {
      kind: 'events',
      unit: 'changes',
      valid: w => `${sumBy} (increase(${series('change_visible_seconds_count', { pipeline: store })}[${w}]))`,
      good: w =>
        `${sumBy} (increase(${series('change_visible_seconds_bucket', { pipeline: store, le: edge(freshnessSeconds) })}[${w}]))`,
    },
    badEventsMin: 5,
    weights: { [store]: 1 },
    service: 'consumer',
    team: 'pipelines',
    alert: 'FreshnessBurn',
    place: { dashboard: 'slo', row: 'Freshness' },
    provocation: `Pause the pipeline for 30 s while rows are written: \`curl -X POST localhost:8001/pipelines/${store}/pause\`, later \`/resume\`.`,
  },
  {
    name: 'heartbeat',
    title: 'Freshness without traffic',
    promise: 'The way from commit to search is open at every moment, also when nobody uses it.',
    definition: `A slice of ten seconds is good when capture and consumer answer, the changefeed is in order, the store's pipeline runs, and nothing that either knows of has waited for more than ${freshnessSeconds} s.`,
    objective: 0.999,
    period: '30d',
    indicator: { kind: 'slices', good: `(\n${everyStageIsFresh}\n) or vector(0)` },
    // Two minutes: a release stops every process for less.
    badEventsMin: 12,
    service: 'capture',
    team: 'pipelines',
    alert: 'HeartbeatBurn',
    place: { dashboard: 'slo', row: 'Freshness' },
    provocation: '`kill -STOP` the process of capture for two minutes, then `kill -CONT`.',
  },
  {
    name: 'completeness',
    title: 'Completeness',
    promise: 'What was read takes effect.',
    definition:
      'An event that was dealt with is bad when it was dead-lettered although nothing was wrong with it: refused by the sink, or given up after all attempts. Events that break their own contract are the fault of their sender.',
    objective: 0.9999,
    period: '30d',
    indicator: {
      kind: 'events',
      unit: 'events',
      valid: w => `${sumBy} (increase(${series('events_processed_total', { result: '!=fail' })}[${w}]))`,
      bad: w =>
        `${sumBy} (increase(${series('dead_letters_total', { reason: '=~refused_by_sink|retries_exhausted' })}[${w}]))`,
    },
    badEventsMin: 5,
    // The log of changes is a convenience: what it misses is in the store. A lost dead letter is an event lost twice.
    weights: {
      [pipelines.changesToStore]: 1,
      [pipelines.reviewsToPostgres]: 1,
      [pipelines.deadLettersToPostgres]: 2,
      [pipelines.changesToLog]: 0.1,
      [furtherPipelines.changesToIndex]: 1,
      [furtherPipelines.changesToWebhook]: 1,
    },
    service: 'consumer',
    team: 'pipelines',
    alert: 'CompletenessBurn',
    place: { dashboard: 'slo', row: 'Books' },
    provocation:
      'Add a constraint that refuses what comes: `ALTER TABLE reviews ADD CONSTRAINT refuse CHECK (rating < 0) NOT VALID`, send a batch, drop it again.',
  },
  {
    name: 'correctness',
    title: 'Correctness of the books',
    promise: 'Nothing is lost or counted twice without somebody knowing.',
    definition:
      'A slice of ten seconds is good when read = delivered + duplicate + filtered + dead-lettered + in flight holds in every pipeline. Slices in which no consumer says anything do not count.',
    objective: 0.9999,
    period: '30d',
    indicator: {
      kind: 'slices',
      good: `max(abs(${series('pipeline_unaccounted_events')})) == bool 0`,
    },
    badEventsMin: 2,
    service: 'consumer',
    team: 'pipelines',
    alert: 'CorrectnessBurn',
    place: { dashboard: 'slo', row: 'Books' },
    provocation:
      'None on a running stack: the books are kept by the code that is under test. The simulation of the engine breaks them on purpose.',
  },
] as const satisfies readonly Slo[];

export type SloName = (typeof slos)[number]['name'];
