import type { AlertCase } from '../alert-case.ts';
import { flat, inTurn, ramp } from '../series-values.ts';
import { crossing } from './crossing.ts';

const pipeline = { pipeline: 'reviews-to-postgres' };
const of = (name: string, more = '') => `${name}{pipeline="reviews-to-postgres"${more}}`;
const state = (name: string) => of('pipeline_state', `,state="${name}"`);
const processed = (result: string) => of('events_processed_total', `,result="${result}"`);

export const pipelineCases: readonly AlertCase[] = [
  crossing({
    alert: 'PipelineWaiting',
    what: 'the sink is away and comes back',
    series: state('waiting'),
    good: 0,
    bad: 1,
    interval: '30s',
    firing: {
      labels: pipeline,
      summary: 'Pipeline reviews-to-postgres has waited for its sink for 2 minutes (waiting is 1).',
    },
  }),
  crossing({
    alert: 'PipelineNotJoined',
    what: 'the group gives it nothing',
    series: state('starting'),
    good: 0,
    bad: 1,
    interval: '30s',
    firing: {
      labels: pipeline,
      summary: 'Pipeline reviews-to-postgres has not been given a partition for 3 minutes (starting is 1).',
    },
  }),
  crossing({
    alert: 'PipelinePaused',
    what: 'somebody paused it and forgot',
    series: state('paused'),
    good: 0,
    bad: 1,
    interval: '5m',
    firing: {
      labels: pipeline,
      summary: 'Pipeline reviews-to-postgres has been paused for half an hour (paused is 1).',
    },
  }),
  crossing({
    alert: 'LedgerUnaccounted',
    what: 'two events are in the books twice',
    series: of('pipeline_unaccounted_events'),
    good: 0,
    bad: -2,
    interval: '15s',
    firing: {
      labels: pipeline,
      summary: 'The books of pipeline reviews-to-postgres are off by 2 events.',
    },
  }),
  {
    alert: 'DeadLetterInflow',
    what: 'one event is dead-lettered, and ten minutes pass',
    interval: '15s',
    series: { [processed('dlq')]: inTurn(flat(0, 8), flat(1, 60)) },
    expect: [
      { at: '2m45s' },
      {
        at: '3m',
        firing: [
          {
            labels: pipeline,
            summary: '1 events of pipeline reviews-to-postgres were dead-lettered in 10 minutes.',
          },
        ],
      },
      {
        at: '11m30s',
        firing: [
          {
            labels: pipeline,
            summary: '1 events of pipeline reviews-to-postgres were dead-lettered in 10 minutes.',
          },
        ],
      },
      { at: '12m15s' },
    ],
  },
  {
    alert: 'DeadLetterRatioHigh',
    what: 'two of a hundred events are bad for half an hour',
    interval: '30s',
    series: {
      [processed('success')]: ramp(0, 98, 100),
      [processed('dlq')]: inTurn(flat(0, 21), ramp(2, 2, 40), flat(80, 40)),
    },
    // More than 1 % and more than ten of them once the window holds eleven, five and a half minutes after the first.
    expect: [
      { at: '16m30s' },
      {
        at: '17m',
        firing: [
          {
            labels: pipeline,
            summary: '1.408% of the events of pipeline reviews-to-postgres are dead-lettered.',
          },
        ],
      },
      { at: '35m30s' },
    ],
  },
  {
    alert: 'DeadLetterRatioHigh',
    what: 'a trickle of three bad events in two minutes',
    interval: '1m',
    series: {
      [processed('success')]: ramp(0, 50, 40),
      [processed('dlq')]: inTurn(flat(0, 11), ramp(1.5, 1.5, 29)),
    },
    expect: [
      { at: '18m' },
      {
        at: '19m',
        firing: [
          {
            labels: pipeline,
            summary: '2.629% of the events of pipeline reviews-to-postgres are dead-lettered.',
          },
        ],
      },
    ],
  },
  {
    alert: 'DeadLetterRatioHigh',
    what: 'one bad event in a quiet night',
    interval: '1m',
    series: { [processed('success')]: flat(3, 30), [processed('dlq')]: inTurn(flat(0, 8), flat(1, 22)) },
    expect: [{ at: '12m' }, { at: '17m' }],
  },
  {
    alert: 'DeadLetterRatioHigh',
    what: 'a thousand times as many good events as bad ones',
    interval: '1m',
    series: { [processed('success')]: ramp(0, 5000, 30), [processed('dlq')]: ramp(0, 5, 30) },
    expect: [{ at: '20m' }],
  },
  {
    alert: 'ProcessingErrorsHigh',
    what: 'six of 46 deliveries fail for twenty minutes',
    interval: '1m',
    series: {
      [of('processing_duration_seconds_count')]: ramp(0, 8, 60),
      [processed('fail')]: inTurn(flat(0, 6), ramp(1.2, 1.2, 20), flat(24, 34)),
    },
    expect: [
      { at: '14m' },
      {
        at: '15m',
        firing: [
          {
            labels: pipeline,
            summary: '13.04% of the deliveries of pipeline reviews-to-postgres fail and are tried again.',
          },
        ],
      },
      {
        at: '30m',
        firing: [
          {
            labels: pipeline,
            summary: '13.04% of the deliveries of pipeline reviews-to-postgres fail and are tried again.',
          },
        ],
      },
      { at: '31m' },
    ],
  },
  {
    alert: 'RebalanceStorm',
    what: 'the group changes every minute and a half, and settles',
    interval: '30s',
    series: {
      [of('rebalances_total')]: inTurn(
        flat(1, 24),
        ...Array.from({ length: 6 }, (_, index) => flat(index + 2, 3)),
        flat(8, 60),
      ),
    },
    expect: [
      { at: '21m' },
      {
        at: '21m30s',
        firing: [
          {
            labels: pipeline,
            summary: 'Pipeline reviews-to-postgres was given its partitions 7 times in 10 minutes.',
          },
        ],
      },
      {
        at: '28m',
        firing: [
          {
            labels: pipeline,
            summary: 'Pipeline reviews-to-postgres was given its partitions 6 times in 10 minutes.',
          },
        ],
      },
      { at: '28m30s' },
    ],
  },
];
