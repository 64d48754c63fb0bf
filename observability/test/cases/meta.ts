import type { AlertCase } from '../alert-case.ts';
import { flat, gap, inTurn } from '../series-values.ts';
import { crossing } from './crossing.ts';

const prometheus = { job: 'prometheus', instance: '127.0.0.1:9090' };
const alertmanager = { job: 'alertmanager', instance: '127.0.0.1:9093' };

const handedOn = (labels: Readonly<Record<string, string>>, value: string) => ({
  labels,
  summary: `${labels['job']} at ${labels['instance']} failed to hand on alerts (${value} in 5 minutes).`,
});

const failing = (series: string, labels: Readonly<Record<string, string>>): AlertCase => ({
  alert: 'NotificationsFail',
  what: `${labels['job']} cannot hand on what it has, and then it can`,
  interval: '30s',
  series: {
    [series]: inTurn(flat(0, 4), flat(2, 2), flat(4, 40)),
    'prometheus_notifications_alertmanagers_discovered{job="prometheus",instance="127.0.0.1:9090"}': flat(
      1,
      60,
    ),
  },
  expect: [
    { at: '3m30s' },
    { at: '4m', firing: [handedOn(labels, '4')] },
    { at: '7m30s', firing: [handedOn(labels, '2')] },
    { at: '8m' },
  ],
});

export const metaCases: readonly AlertCase[] = [
  {
    alert: 'Watchdog',
    what: 'always, also when nothing is known',
    interval: '1m',
    series: {},
    expect: [{ at: '0m', firing: [{ summary: 'The path of alerts works (always 1).' }] }],
  },
  {
    alert: 'SliMetricAbsent',
    what: 'the consumer answers but has stopped to tell what it does',
    interval: '1m',
    series: {
      'up{job="consumer",instance="127.0.0.1:8001"}': flat(1, 60),
      'up{job="api",instance="127.0.0.1:3001"}': flat(1, 60),
      'up{job="capture",instance="127.0.0.1:8300"}': flat(0, 60),
      'http_request_duration_seconds_count{job="api"}': flat(1, 60),
      'events_processed_total{job="consumer"}': inTurn(flat(1, 5), gap(30), flat(1, 25)),
      'slo:slice_good{slo="heartbeat"}': flat(1, 60),
    },
    // Absent for ten minutes after the last sample at 4 m, and five more.
    expect: [
      { at: '19m' },
      {
        at: '20m',
        firing: [
          {
            labels: { job: 'consumer' },
            summary:
              'A figure that objectives are made of has been missing for 15 minutes at consumer (absent is 1).',
          },
        ],
      },
      { at: '36m' },
    ],
  },
  {
    alert: 'SliMetricAbsent',
    what: 'the rules that judge every moment are not evaluated',
    interval: '1m',
    series: { 'slo:slice_good{slo="heartbeat"}': inTurn(flat(1, 5), gap(30), flat(1, 10)) },
    expect: [
      { at: '19m' },
      {
        at: '20m',
        firing: [
          {
            labels: { slo: 'heartbeat' },
            summary:
              'A figure that objectives are made of has been missing for 15 minutes at heartbeat (absent is 1).',
          },
        ],
      },
      { at: '36m' },
    ],
  },
  {
    alert: 'SliMetricAbsent',
    what: 'the api and capture stop to tell what they do',
    interval: '1m',
    series: {
      'up{job="api"}': flat(1, 60),
      'up{job="capture"}': flat(1, 60),
      'slo:slice_good{slo="heartbeat"}': flat(1, 60),
      'http_request_duration_seconds_count{job="api"}': inTurn(flat(1, 5), gap(50)),
      'capture_state{job="capture"}': inTurn(flat(1, 5), gap(50)),
    },
    expect: [
      { at: '19m' },
      {
        at: '20m',
        firing: ['api', 'capture'].map(job => ({
          labels: { job },
          summary: `A figure that objectives are made of has been missing for 15 minutes at ${job} (absent is 1).`,
        })),
      },
    ],
  },
  crossing({
    alert: 'SliImplausible',
    what: 'more events are bad than there are',
    series: 'slo:error_ratio:increase1h{slo="freshness"}',
    good: 1,
    bad: 1.5,
    interval: '1m',
    firing: {
      labels: { slo: 'freshness' },
      summary: 'The figures of objective freshness contradict themselves (1.5 bad per valid event).',
    },
  }),
  crossing({
    alert: 'SliImplausible',
    what: 'a share below nothing',
    series: 'slo:error_ratio:increase1h{slo="freshness"}',
    good: 0,
    bad: -0.5,
    interval: '1m',
    firing: {
      labels: { slo: 'freshness' },
      summary: 'The figures of objective freshness contradict themselves (-500m bad per valid event).',
    },
  }),
  crossing({
    alert: 'SliImplausible',
    what: 'fewer events than none',
    series: 'slo:valid_events:increase1h{slo="freshness"}',
    good: 0,
    bad: -3,
    interval: '1m',
    firing: {
      labels: { slo: 'freshness' },
      summary: 'The figures of objective freshness contradict themselves (-3 bad per valid event).',
    },
  }),
  {
    alert: 'RuleEvaluationFails',
    what: 'a group fails for a minute',
    interval: '30s',
    series: {
      'prometheus_rule_evaluation_failures_total{job="prometheus",instance="127.0.0.1:9090",rule_group="lag"}':
        inTurn(flat(0, 4), flat(2, 40)),
    },
    expect: [
      { at: '3m30s' },
      {
        at: '4m',
        firing: [
          {
            labels: { instance: '127.0.0.1:9090', rule_group: 'lag' },
            summary: 'Prometheus could not evaluate 2 rules of lag in 5 minutes.',
          },
        ],
      },
      {
        at: '6m30s',
        firing: [
          {
            labels: { instance: '127.0.0.1:9090', rule_group: 'lag' },
            summary: 'Prometheus could not evaluate 2 rules of lag in 5 minutes.',
          },
        ],
      },
      { at: '7m' },
    ],
  },
  crossing({
    alert: 'ConfigReloadFailed',
    what: 'somebody broke the configuration',
    series: 'prometheus_config_last_reload_successful{job="prometheus",instance="127.0.0.1:9090"}',
    good: 1,
    bad: 0,
    interval: '1m',
    firing: {
      labels: { instance: '127.0.0.1:9090' },
      summary: 'Prometheus at 127.0.0.1:9090 runs on an old configuration (last reload successful is 0).',
    },
  }),
  failing(
    'alertmanager_notifications_failed_total{job="alertmanager",instance="127.0.0.1:9093",integration="webhook"}',
    alertmanager,
  ),
  failing(
    'prometheus_notifications_errors_total{job="prometheus",instance="127.0.0.1:9090",alertmanager="a"}',
    prometheus,
  ),
  crossing({
    alert: 'NotificationsFail',
    what: 'Prometheus knows no Alertmanager',
    series: 'prometheus_notifications_alertmanagers_discovered{job="prometheus",instance="127.0.0.1:9090"}',
    good: 1,
    bad: 0,
    interval: '30s',
    firing: handedOn(prometheus, '1'),
  }),
];
