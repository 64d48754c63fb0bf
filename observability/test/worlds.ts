import { flat, gap, inTurn, ramp, type Values } from './series-values.ts';

/** Time series of a whole stack, sampled every minute, and which alerts fire in it beside the watchdog. */
export interface World {
  readonly name: string;
  readonly series: Readonly<Record<string, Values>>;
  readonly firing: readonly string[];
  /** When it is looked at. */
  readonly minutes: readonly number[];
}

/** Samples of every series. */
const length = 90;
const minutes = [10, 25, 33, 45, 61, 75, 89];
const services = { api: 3001, capture: 8300, consumer: 8001, producer: 8000, console: 3000, broker: 9644 };
const pipelines = [
  ['changes-to-store', 'tidb-cdc-consumer', 'tidb_cdc'],
  ['reviews-to-postgres', 'streamsre-consumer', 'events.main'],
] as const;
const mib = 1024 ** 2;

type Series = Record<string, Values>;

const http = (part: string, status: number, le = '') =>
  `http_request_duration_seconds_${part}{job="api",method="GET",route="/api/users",status_code="${status}"${le}}`;
const processed = (pipeline: string, result: string) =>
  `events_processed_total{job="consumer",pipeline="${pipeline}",result="${result}"}`;
const lagOf = (name: string, group: string, topic: string, partition: number) =>
  `${name}{job="consumer",group="${group}",topic="${topic}",partition="${partition}"}`;

/** Every process up and well, with `perSample` events and requests between two samples. */
function healthy(perSample: number): Series {
  const processes = Object.entries(services).flatMap(([job, port]): [string, Values][] => {
    const of = (name: string) => `${name}{job="${job}",instance="127.0.0.1:${port}"}`;
    return [
      [of('up'), flat(1, length)],
      [of('process_start_time_seconds'), flat(1000, length)],
      [of('process_open_fds'), flat(40, length)],
      [of('process_max_fds'), flat(1024, length)],
      [of('nodejs_eventloop_lag_p99_seconds'), flat(0.012, length)],
      [of('nodejs_heap_size_used_bytes'), flat(40 * mib, length)],
      [of('nodejs_heap_limit_bytes'), flat(4096 * mib, length)],
      [of('scrape_collector_failures_total'), flat(0, length)],
    ];
  });
  return {
    ...Object.fromEntries(processes),
    ...apiSeries(perSample),
    ...captureSeries(perSample),
    ...Object.assign({}, ...pipelines.map(each => pipelineSeries(each, perSample))),
    'prometheus_notifications_alertmanagers_discovered{job="prometheus",instance="127.0.0.1:9090"}': flat(
      1,
      length,
    ),
    'prometheus_config_last_reload_successful{job="prometheus",instance="127.0.0.1:9090"}': flat(1, length),
    'probe_success{instance="http://127.0.0.1:3000/",target_service="console"}': flat(1, length),
    'node_timex_offset_seconds{instance="127.0.0.1:9100"}': flat(0.001, length),
  };
}

function apiSeries(perSample: number): Series {
  return {
    [http('count', 200)]: ramp(0, perSample, length),
    [http('bucket', 200, ',le="0.3"')]: ramp(0, perSample, length),
    [http('count', 503)]: flat(0, length),
  };
}

function captureSeries(perSample: number): Series {
  const of = (name: string, more = '') => `${name}{job="capture",changefeed="sre-cdc"${more}}`;
  return {
    [of('capture_state', ',state="normal"')]: flat(1, length),
    [of('capture_state', ',state="warning"')]: flat(0, length),
    [of('capture_state', ',state="failed"')]: flat(0, length),
    [of('capture_lag_seconds')]: flat(0, length),
    [of('capture_lag_bytes')]: flat(0, length),
    [of('capture_transactions_total')]: ramp(0, perSample, length),
    'capture_slot_active_state{job="capture",slot="tidemark_sre_cdc"}': flat(1, length),
    'capture_slot_safe_bytes{job="capture",slot="tidemark_sre_cdc"}': flat(4096 * mib, length),
    'capture_slot_retained_bytes{job="capture",slot="tidemark_sre_cdc"}': flat(16 * mib, length),
  };
}

function pipelineSeries([pipeline, group, topic]: (typeof pipelines)[number], perSample: number): Series {
  const of = (name: string, more = '') => `${name}{job="consumer",pipeline="${pipeline}"${more}}`;
  return {
    [processed(pipeline, 'success')]: ramp(0, perSample, length),
    [processed(pipeline, 'dlq')]: flat(0, length),
    [processed(pipeline, 'fail')]: flat(0, length),
    [of('dead_letters_total', ',reason="retries_exhausted"')]: flat(0, length),
    [of('pipeline_state', ',state="running"')]: flat(1, length),
    [of('pipeline_info', `,group="${group}",topic="${topic}"`)]: flat(1, length),
    [of('pipeline_oldest_pending_seconds')]: flat(0, length),
    [of('pipeline_unaccounted_events')]: flat(0, length),
    [of('rebalances_total')]: flat(1, length),
    [of('change_visible_seconds_count')]: ramp(0, perSample, length),
    [of('change_visible_seconds_bucket', ',le="10"')]: ramp(0, perSample, length),
    [of('processing_duration_seconds_count')]: ramp(0, perSample, length),
    [`broker_group_members{job="broker",group="${group}"}`]: flat(1, length),
    ...Object.fromEntries(
      [0, 1, 2].flatMap((partition): [string, Values][] => [
        [lagOf('consumer_lag', group, topic, partition), flat(0, length)],
        [lagOf('consumer_committed_offset', group, topic, partition), ramp(0, perSample, length)],
      ]),
    ),
  };
}

/** A backlog of half a million events that is worked off within five minutes, the way a healthy burst is. */
function burst(): Series {
  const [, reviews] = pipelines;
  const curve = inTurn(flat(0, 30), ramp(40_000, 40_000, 2), ramp(60_000, -20_000, 4), flat(0, 54));
  return Object.fromEntries(
    [0, 1, 2].map(partition => [lagOf('consumer_lag', reviews[1], reviews[2], partition), curve]),
  );
}

/** Every process is stopped and started once, one after the other: what a release looks like. */
function release(): Series {
  const restarted = Object.entries(services).flatMap(([job, port], index): [string, Values][] => {
    const of = (name: string) => `${name}{job="${job}",instance="127.0.0.1:${port}"}`;
    const before = 40 + index;
    return [
      [of('up'), inTurn(flat(1, before), flat(0, 1), flat(1, length - before - 1))],
      [of('process_start_time_seconds'), inTurn(flat(1000, before), gap(1), flat(5000, length - before - 1))],
    ];
  });
  const again = (before: number): Values =>
    inTurn(ramp(0, 50, before), gap(1), ramp(0, 50, length - before - 1));
  return {
    ...Object.fromEntries(restarted),
    [http('count', 200)]: again(40),
    [http('bucket', 200, ',le="0.3"')]: again(40),
    [processed('reviews-to-postgres', 'success')]: again(42),
    'capture_transactions_total{job="capture",changefeed="sre-cdc"}': again(41),
    'rebalances_total{job="consumer",pipeline="reviews-to-postgres"}': inTurn(
      flat(1, 42),
      gap(1),
      flat(2, length - 43),
    ),
  };
}

export const worlds: readonly World[] = [
  { name: 'a quiet night: nothing is asked and nothing happens', series: healthy(0), firing: [], minutes },
  { name: 'a busy day', series: healthy(3000), firing: [], minutes },
  { name: 'a burst that is worked off', series: { ...healthy(1000), ...burst() }, firing: [], minutes },
  {
    name: 'a release: every process is started anew, and counters begin again',
    series: { ...healthy(50), ...release() },
    firing: [],
    minutes,
  },
  {
    name: 'one error among twenty requests an hour',
    series: {
      ...healthy(0),
      [http('count', 200)]: ramp(0, 1 / 3, length),
      [http('bucket', 200, ',le="0.3"')]: ramp(0, 1 / 3, length),
      [http('count', 503)]: inTurn(flat(0, 40), flat(1, 50)),
    },
    firing: [],
    minutes,
  },
  {
    name: 'Prometheus has just been started and knows nothing yet',
    series: {},
    firing: [],
    minutes: [0, 1],
  },
  {
    name: 'no service is there at all: what is absent is missed',
    series: {},
    // Without its sources every slice is bad, which is what the heartbeat is for.
    firing: ['HeartbeatBurn'],
    minutes: [30],
  },
  {
    name: 'half of the requests fail for a quarter of an hour',
    series: {
      ...healthy(100),
      [http('count', 200)]: inTurn(ramp(0, 100, 61), ramp(6050, 50, 15), ramp(6850, 100, 14)),
      [http('bucket', 200, ',le="0.3"')]: inTurn(
        ramp(0, 100, 120),
        ramp(12_000, 50, 30),
        ramp(13_500, 100, 90),
      ),
      [http('count', 503)]: inTurn(flat(0, 61), ramp(50, 50, 15), flat(750, 14)),
    },
    firing: ['ApiAvailabilityBurn', 'ApiErrorRatioHigh'],
    minutes: [70, 75],
  },
];
