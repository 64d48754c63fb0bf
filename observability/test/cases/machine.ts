import type { AlertCase } from '../alert-case.ts';
import { flat, inTurn, ramp } from '../series-values.ts';
import { crossing } from './crossing.ts';

const process = { job: 'consumer', instance: '127.0.0.1:8001' };
const of = (name: string, more = '') => `${name}{job="consumer",instance="127.0.0.1:8001"${more}}`;
const disk = { instance: '127.0.0.1:9100', mountpoint: '/data' };
const onDisk = (name: string, fstype = 'ext4', mountpoint = '/data') =>
  `${name}{instance="127.0.0.1:9100",device="/dev/vda1",fstype="${fstype}",mountpoint="${mountpoint}"}`;
const probed = { instance: 'http://127.0.0.1:3000/', target_service: 'console' };
const probe = (name: string) =>
  `${name}{job="probe_console_page",instance="http://127.0.0.1:3000/",target_service="console"}`;
const mib = 1024 ** 2;
const gib = 1024 ** 3;
const day = 86_400;

export const machineCases: readonly AlertCase[] = [
  crossing({
    alert: 'EventLoopBlocked',
    what: 'the processor is taken away',
    series: of('nodejs_eventloop_lag_p99_seconds'),
    good: 0.2,
    bad: 0.4,
    interval: '1m',
    firing: {
      labels: process,
      summary: 'The event loop of consumer is held up for 400ms at the 99th percentile.',
    },
  }),
  crossing({
    alert: 'FileDescriptorsRunOut',
    what: 'connections pile up',
    series: of('process_open_fds'),
    good: 750,
    bad: 900,
    interval: '1m',
    beside: { [of('process_max_fds')]: flat(1000, 40) },
    firing: { labels: process, summary: 'consumer uses 90% of its file descriptors.' },
  }),
  {
    alert: 'HeapTrend',
    what: 'a leak of 2 MiB a minute comes and is mended',
    interval: '1m',
    series: {
      [of('nodejs_heap_size_used_bytes')]: inTurn(
        flat(100 * mib, 70),
        ramp(100 * mib, 2 * mib, 60),
        flat(100 * mib, 70),
      ),
      [of('nodejs_heap_limit_bytes')]: flat(256 * mib, 200),
    },
    expect: [
      { at: '119m' },
      {
        at: '120m',
        firing: [
          {
            labels: process,
            summary: 'The heap of consumer will hold 307.7MiB in an hour, which is more than it may.',
          },
        ],
      },
      { at: '134m' },
    ],
  },
  {
    alert: 'HeapTrend',
    what: 'a heap that collections saw down again and again',
    interval: '1m',
    series: {
      [of('nodejs_heap_size_used_bytes')]: inTurn(
        ...Array.from({ length: 30 }, () => ramp(60 * mib, 10 * mib, 5)),
      ),
      [of('nodejs_heap_limit_bytes')]: flat(256 * mib, 150),
    },
    expect: [{ at: '80m' }, { at: '120m' }],
  },
  {
    alert: 'DbPoolExhausted',
    what: 'statements wait while every connection is busy',
    interval: '15s',
    series: {
      [of('db_pool_waiting_statements')]: inTurn(flat(0, 4), flat(7, 20), flat(0, 40)),
      [of('db_pool_connections', ',state="busy"')]: inTurn(flat(1, 4), flat(4, 20), flat(0, 40)),
      [of('db_pool_limit_connections')]: flat(4, 64),
    },
    // Waiting at every look for a minute, and two more.
    expect: [
      { at: '3m45s' },
      {
        at: '4m15s',
        firing: [
          {
            labels: process,
            summary:
              'At least 7 statements of consumer have waited for a connection at every look for 3 minutes.',
          },
        ],
      },
      {
        at: '10m30s',
        firing: [
          {
            labels: process,
            summary:
              'At least 7 statements of consumer have waited for a connection at every look for 3 minutes.',
          },
        ],
      },
      { at: '11m30s' },
    ],
  },
  {
    alert: 'DatabaseSlow',
    what: 'a statement takes up to a second for half an hour',
    interval: '1m',
    series: {
      'db_query_duration_seconds_bucket{query="store-changes",le="0.25"}': inTurn(
        ramp(0, 100, 10),
        ramp(950, 50, 30),
        ramp(2500, 100, 40),
      ),
      'db_query_duration_seconds_bucket{query="store-changes",le="0.5"}': inTurn(
        ramp(0, 100, 10),
        ramp(950, 50, 30),
        ramp(2500, 100, 40),
      ),
      'db_query_duration_seconds_bucket{query="store-changes",le="1"}': ramp(0, 100, 80),
      'db_query_duration_seconds_bucket{query="store-changes",le="+Inf"}': ramp(0, 100, 80),
    },
    expect: [
      { at: '19m' },
      {
        at: '20m',
        firing: [
          {
            labels: { query: 'store-changes' },
            summary: 'Statement store-changes takes 950ms at the 95th percentile.',
          },
        ],
      },
      {
        at: '48m',
        firing: [
          {
            labels: { query: 'store-changes' },
            summary: 'Statement store-changes takes 750ms at the 95th percentile.',
          },
        ],
      },
      { at: '49m' },
    ],
  },
  {
    alert: 'ScrapeCollectorsFail',
    what: 'the database is away for eight scrapes',
    interval: '1m',
    series: { [of('scrape_collector_failures_total')]: inTurn(flat(0, 3), ramp(1, 1, 8), flat(8, 20)) },
    expect: [
      { at: '10m' },
      {
        at: '11m',
        firing: [
          { labels: process, summary: 'consumer could not look up its own figures 8 times in 10 minutes.' },
        ],
      },
      { at: '17m' },
    ],
  },
  {
    alert: 'DiskWillFill',
    what: 'a disk of 100 GiB loses 200 MiB a minute',
    interval: '2m',
    series: {
      [onDisk('node_filesystem_avail_bytes')]: inTurn(
        flat(40 * gib, 10),
        ramp(40 * gib, -400 * mib, 65),
        flat(60 * gib, 20),
      ),
      [onDisk('node_filesystem_size_bytes')]: flat(100 * gib, 100),
      [onDisk('node_filesystem_avail_bytes', 'tmpfs', '/run')]: ramp(10 * mib, -100_000, 100),
      [onDisk('node_filesystem_size_bytes', 'tmpfs', '/run')]: flat(100 * mib, 100),
    },
    expect: [
      { at: '106m' },
      {
        at: '108m',
        firing: [{ labels: disk, summary: '/data has 22.81% left and will be full within 4 hours.' }],
      },
      { at: '150m' },
    ],
  },
  {
    alert: 'DiskWillFill',
    what: 'a fifth is left for an hour, and then it is used up',
    interval: '2m',
    series: {
      [onDisk('node_filesystem_avail_bytes')]: inTurn(flat(20 * gib, 40), ramp(20 * gib, -400 * mib, 40)),
      [onDisk('node_filesystem_size_bytes')]: flat(100 * gib, 100),
    },
    expect: [
      { at: '114m' },
      {
        at: '116m',
        firing: [{ labels: disk, summary: '/data has 12.97% left and will be full within 4 hours.' }],
      },
    ],
  },
  crossing({
    alert: 'DiskFull',
    what: 'the disk is nearly full',
    series: onDisk('node_filesystem_avail_bytes'),
    good: 6 * gib,
    bad: 4 * gib,
    interval: '30s',
    beside: { [onDisk('node_filesystem_size_bytes')]: flat(100 * gib, 60) },
    firing: { labels: disk, summary: '/data has 4% left.' },
  }),
  crossing({
    alert: 'ClockSkew',
    what: 'the clock runs ahead',
    series: 'node_timex_offset_seconds{job="node",instance="127.0.0.1:9100"}',
    good: 0.8,
    bad: -2,
    interval: '30s',
    firing: {
      labels: { instance: '127.0.0.1:9100' },
      summary: 'The clock of 127.0.0.1:9100 is off by 2s.',
    },
  }),
  {
    alert: 'ProbeFailed',
    what: 'the page stays away for five minutes',
    interval: '15s',
    series: { [probe('probe_success')]: inTurn(flat(1, 12), flat(0, 20), flat(1, 20)) },
    // More than half of the last two minutes, and one more.
    expect: [
      { at: '4m45s' },
      {
        at: '5m',
        firing: [
          {
            labels: probed,
            summary: 'From outside, http://127.0.0.1:3000/ answers 0% of the probes.',
          },
        ],
      },
      { at: '9m' },
    ],
  },
  {
    alert: 'CertificateExpires',
    what: 'ten days are left, and then a new certificate',
    interval: '15m',
    series: {
      [probe('probe_ssl_earliest_cert_expiry')]: inTurn(
        flat(20 * day, 2),
        flat(10 * day, 8),
        flat(90 * day, 4),
      ),
    },
    expect: [
      { at: '75m' },
      {
        at: '90m',
        firing: [
          {
            labels: probed,
            summary: 'The certificate of http://127.0.0.1:3000/ ends in 9d 22h 30m 0s.',
          },
        ],
      },
      { at: '165m' },
    ],
  },
];
