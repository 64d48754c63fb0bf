import type { AlertCase } from '../alert-case.ts';
import { flat, gap, inTurn, ramp } from '../series-values.ts';
import { crossing } from './crossing.ts';

const at = (job: string, port: number) => ({ job, instance: `127.0.0.1:${port}` });
const selector = (labels: Readonly<Record<string, string>>) =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`;

const down = (alert: string, job: string, port: number, says: string): AlertCase =>
  crossing({
    alert,
    what: 'the service stops answering for a while',
    series: `up${selector(at(job, port))}`,
    good: 1,
    bad: 0,
    interval: '15s',
    firing: {
      labels: at(job, port),
      summary: `${says} at 127.0.0.1:${port} has not answered a scrape for 1 minute (up is 0).`,
    },
  });

const requests = (status: number) =>
  `http_request_duration_seconds_count{job="api",method="GET",route="/api/users",status_code="${status}"}`;

export const serviceCases: readonly AlertCase[] = [
  down('ApiDown', 'api', 3001, 'The api'),
  down('CaptureDown', 'capture', 8300, 'Capture'),
  down('ConsumerDown', 'consumer', 8001, 'The consumer'),
  down('BrokerDown', 'broker', 9644, 'The broker'),
  crossing({
    alert: 'TargetDown',
    what: 'a target without an alert of its own stops answering',
    series: 'up{job="console",instance="127.0.0.1:3000"}',
    good: 1,
    bad: 0,
    interval: '30s',
    beside: { 'up{job="api",instance="127.0.0.1:3001"}': flat(0, 40) },
    firing: {
      labels: at('console', 3000),
      summary: 'console at 127.0.0.1:3000 has not answered a scrape for 2 minutes (up is 0).',
    },
  }),
  {
    alert: 'ApiServerErrors',
    what: '12 failures a second for five minutes, through a restart that sets the counter back',
    interval: '15s',
    series: {
      [requests(500)]: inTurn(ramp(0, 0, 5), ramp(180, 180, 12), ramp(0, 180, 8), flat(1260, 40)),
    },
    // The rate is above 10 a second once the window is full of failures, 45 seconds after the first.
    expect: [
      { at: '3m45s' },
      {
        at: '4m',
        firing: [{ labels: { job: 'api' }, summary: 'The api fails 12 requests a second (5xx).' }],
      },
      {
        at: '11m',
        firing: [{ labels: { job: 'api' }, summary: 'The api fails 12 requests a second (5xx).' }],
      },
      { at: '11m15s' },
    ],
  },
  {
    alert: 'ApiErrorRatioHigh',
    what: 'every sixth request fails for twenty minutes',
    interval: '1m',
    series: {
      [requests(200)]: ramp(0, 10, 50),
      [requests(503)]: inTurn(flat(0, 6), ramp(2, 2, 20), flat(40, 24)),
    },
    // 6 of 56 are bad after three minutes, and those are five or more; then the wait of five minutes.
    expect: [
      { at: '12m' },
      {
        at: '13m',
        firing: [{ labels: { job: 'api' }, summary: '16.67% of the requests to the api fail (5xx).' }],
      },
      {
        at: '32m',
        firing: [{ labels: { job: 'api' }, summary: '10.71% of the requests to the api fail (5xx).' }],
      },
      { at: '33m' },
    ],
  },
  {
    alert: 'ApiErrorRatioHigh',
    what: 'a quarter of few requests fails, which is too few failures',
    interval: '1m',
    series: { [requests(200)]: ramp(0, 2, 40), [requests(503)]: ramp(0, 0.6, 40) },
    expect: [{ at: '20m' }, { at: '39m' }],
  },
  {
    alert: 'ProduceErrors',
    what: 'four batches fail within five minutes',
    interval: '15s',
    series: {
      'produce_errors_total{job="producer",instance="127.0.0.1:8000"}': inTurn(
        flat(0, 8),
        flat(1, 6),
        flat(2, 6),
        flat(3, 4),
        flat(4, 40),
      ),
    },
    expect: [
      { at: '5m45s' },
      {
        at: '6m',
        firing: [
          { labels: { job: 'producer' }, summary: 'The producer could not send 4 batches in 5 minutes.' },
        ],
      },
      { at: '10m15s' },
    ],
  },
  {
    alert: 'BrokerStorageErrors',
    what: 'appends fail by the broker’s own fault, and end',
    interval: '1m',
    series: {
      'broker_requests_total{api="Produce",error="kafkaStorageError"}': inTurn(
        flat(0, 3),
        flat(2, 4),
        flat(4, 20),
      ),
      'broker_requests_total{api="Fetch",error="offsetOutOfRange"}': ramp(0, 10, 27),
    },
    expect: [
      { at: '6m' },
      {
        at: '7m',
        firing: [
          {
            labels: { api: 'Produce' },
            summary: 'The broker failed 4 Produce requests in 5 minutes by its own fault.',
          },
        ],
      },
      {
        at: '12m',
        firing: [
          {
            labels: { api: 'Produce' },
            summary: 'The broker failed 4 Produce requests in 5 minutes by its own fault.',
          },
        ],
      },
      { at: '13m' },
    ],
  },
  {
    alert: 'BrokerProduceSlow',
    what: 'appends take up to a second for a quarter of an hour',
    interval: '1m',
    series: {
      'broker_request_duration_seconds_bucket{api="Produce",le="0.1"}': ramp(0, 100, 60),
      'broker_request_duration_seconds_bucket{api="Produce",le="0.5"}': ramp(0, 100, 60),
      'broker_request_duration_seconds_bucket{api="Produce",le="1"}': inTurn(
        ramp(0, 100, 10),
        ramp(1100, 200, 15),
        ramp(4000, 100, 35),
      ),
      'broker_request_duration_seconds_bucket{api="Produce",le="+Inf"}': inTurn(
        ramp(0, 100, 10),
        ramp(1100, 200, 15),
        ramp(4000, 100, 35),
      ),
      'broker_request_duration_seconds_bucket{api="Fetch",le="10"}': ramp(0, 100, 60),
    },
    expect: [
      { at: '14m' },
      {
        at: '15m',
        firing: [
          {
            labels: { api: 'Produce' },
            summary: 'Appending to the log takes 990ms at the 99th percentile.',
          },
        ],
      },
      {
        at: '33m',
        firing: [
          { labels: { api: 'Produce' }, summary: 'Appending to the log takes 970ms at the 99th percentile.' },
        ],
      },
      { at: '34m' },
    ],
  },
  {
    alert: 'CrashLoop',
    what: 'a service is started three times within a quarter of an hour',
    interval: '1m',
    series: {
      'process_start_time_seconds{job="capture",instance="127.0.0.1:8300"}': inTurn(
        flat(100, 3),
        flat(280, 5),
        gap(1),
        flat(540, 5),
        flat(840, 30),
      ),
    },
    expect: [
      { at: '13m' },
      {
        at: '14m',
        firing: [
          {
            labels: at('capture', 8300),
            summary: 'capture has been started 3 times again within 15 minutes.',
          },
        ],
      },
      {
        at: '17m',
        firing: [
          {
            labels: at('capture', 8300),
            summary: 'capture has been started 3 times again within 15 minutes.',
          },
        ],
      },
      { at: '19m' },
    ],
  },
];
