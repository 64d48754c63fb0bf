import type { AlertCase } from '../alert-case.ts';
import { flat, inTurn, ramp, type Values } from '../series-values.ts';
import { crossing } from './crossing.ts';

const labels = { pipeline: 'reviews-to-postgres', group: 'streamsre-consumer', topic: 'events.main' };
const of = (name: string, partition: number, instance = 'a') =>
  `${name}{group="streamsre-consumer",topic="events.main",partition="${partition}",instance="${instance}"}`;
const info: Readonly<Record<string, Values>> = {
  'pipeline_info{pipeline="reviews-to-postgres",group="streamsre-consumer",topic="events.main",instance="a"}':
    flat(1, 200),
};

export const lagCases: readonly AlertCase[] = [
  {
    alert: 'ConsumerGroupStopped',
    what: 'a dead consumer leaves eight events, one partition each; two consumers tell of them',
    interval: '30s',
    series: {
      ...info,
      [of('consumer_lag', 0)]: inTurn(flat(0, 10), flat(4, 30), flat(0, 10)),
      [of('consumer_lag', 1)]: inTurn(flat(0, 10), flat(4, 30), flat(0, 10)),
      [of('consumer_lag', 1, 'b')]: inTurn(flat(0, 10), flat(4, 30), flat(0, 10)),
      [of('consumer_committed_offset', 0)]: inTurn(ramp(100, 1, 10), flat(109, 30), flat(113, 10)),
      [of('consumer_committed_offset', 1)]: inTurn(ramp(100, 1, 10), flat(109, 30), flat(113, 10)),
    },
    // The last commit is at 4m30s: five minutes without one, and three that it has to last.
    expect: [
      { at: '12m' },
      {
        at: '12m30s',
        firing: [
          {
            labels,
            summary:
              'Pipeline reviews-to-postgres commits nothing and has 8 events before it in events.main.',
          },
        ],
      },
      { at: '20m' },
    ],
  },
  {
    alert: 'ConsumerGroupStopped',
    what: 'a group that never committed anything has a backlog',
    interval: '30s',
    series: { ...info, [of('consumer_lag', 0)]: flat(50, 30) },
    expect: [
      { at: '2m30s' },
      {
        at: '3m',
        firing: [
          {
            labels,
            summary:
              'Pipeline reviews-to-postgres commits nothing and has 50 events before it in events.main.',
          },
        ],
      },
    ],
  },
  {
    alert: 'ConsumerGroupStopped',
    what: 'somebody paused the pipeline',
    interval: '30s',
    series: {
      ...info,
      [of('consumer_lag', 0)]: flat(50, 60),
      'pipeline_state{pipeline="reviews-to-postgres",state="paused"}': flat(1, 60),
    },
    expect: [{ at: '25m' }],
  },
  {
    alert: 'ConsumerGroupStopped',
    what: 'end-of-transaction markers leave a lag of one for ever',
    interval: '30s',
    series: {
      ...info,
      [of('consumer_lag', 0)]: flat(1, 60),
      [of('consumer_committed_offset', 0)]: flat(7, 60),
    },
    expect: [{ at: '25m' }],
  },
  {
    alert: 'PartitionStalled',
    what: 'one partition stands still while the other moves',
    interval: '30s',
    series: {
      ...info,
      [of('consumer_lag', 0)]: inTurn(flat(0, 10), flat(20, 30), flat(0, 20)),
      [of('consumer_lag', 1)]: flat(9, 60),
      [of('consumer_committed_offset', 0)]: inTurn(ramp(100, 1, 10), flat(109, 30), flat(129, 20)),
      [of('consumer_committed_offset', 1)]: inTurn(
        ...[1, 2, 3, 4, 5, 6, 7].map(count => flat(100 * count, 9)),
      ),
    },
    expect: [
      { at: '12m' },
      {
        at: '12m30s',
        firing: [
          {
            labels: { ...labels, partition: '0' },
            summary:
              'Partition 0 of events.main stands still in pipeline reviews-to-postgres with 20 events, while others move.',
          },
        ],
      },
      { at: '20m' },
    ],
  },
  {
    alert: 'PartitionStalled',
    what: 'somebody paused the pipeline, and another consumer of the group moves',
    interval: '30s',
    series: {
      ...info,
      [of('consumer_lag', 0)]: flat(20, 60),
      [of('consumer_committed_offset', 0)]: flat(109, 60),
      [of('consumer_committed_offset', 1)]: ramp(100, 3, 60),
      'pipeline_state{pipeline="reviews-to-postgres",state="paused"}': flat(1, 60),
    },
    expect: [{ at: '25m' }],
  },
  {
    alert: 'PartitionStalled',
    what: 'two events before a partition are few',
    interval: '30s',
    series: {
      ...info,
      [of('consumer_lag', 0)]: flat(4, 60),
      [of('consumer_committed_offset', 0)]: flat(109, 60),
      [of('consumer_committed_offset', 1)]: ramp(100, 3, 60),
    },
    expect: [{ at: '25m' }],
  },
  {
    alert: 'OffsetRewound',
    what: 'the group is set back by three hundred events and goes on',
    interval: '15s',
    series: { ...info, [of('consumer_committed_offset', 0)]: inTurn(flat(1000, 12), flat(700, 80)) },
    expect: [
      { at: '2m45s' },
      {
        at: '3m',
        firing: [
          {
            labels: { ...labels, partition: '0' },
            summary:
              'The position of pipeline reviews-to-postgres in events.main/0 went back (-300 events in 2 minutes).',
          },
        ],
      },
      {
        at: '14m30s',
        firing: [
          {
            labels: { ...labels, partition: '0' },
            summary:
              'The position of pipeline reviews-to-postgres in events.main/0 went back (-300 events in 2 minutes).',
          },
        ],
      },
      { at: '15m15s' },
    ],
  },
  crossing({
    alert: 'HeadOfLineAge',
    what: 'one event is tried again and again',
    series: of('consumer_oldest_unprocessed_seconds', 0),
    good: 110,
    bad: 150,
    interval: '30s',
    beside: { ...info, [of('consumer_oldest_unprocessed_seconds', 1)]: flat(0, 40) },
    firing: {
      labels,
      summary: 'The first event of events.main that pipeline reviews-to-postgres has not done is 2m 30s old.',
    },
  }),
  crossing({
    alert: 'ConsumerLagHigh',
    what: 'twelve thousand events are before it',
    series: of('consumer_lag', 0),
    good: 9000,
    bad: 12_000,
    interval: '1m',
    beside: info,
    firing: { labels, summary: 'Pipeline reviews-to-postgres is 12000 events behind in events.main.' },
  }),
  {
    alert: 'LagWillNotDrain',
    what: 'fifty events a minute more come in than go out, until they do not',
    interval: '1m',
    series: {
      ...info,
      [of('consumer_lag', 0)]: inTurn(ramp(3000, -50, 15), ramp(2350, 50, 40), ramp(4200, -100, 30)),
    },
    expect: [
      { at: '29m' },
      {
        at: '30m',
        firing: [
          {
            labels,
            summary:
              'More comes into events.main than pipeline reviews-to-postgres deals with; in 15 minutes it will be 3.85k events behind.',
          },
        ],
      },
      {
        at: '57m',
        firing: [
          {
            labels,
            summary:
              'More comes into events.main than pipeline reviews-to-postgres deals with; in 15 minutes it will be 4.409k events behind.',
          },
        ],
      },
      { at: '58m' },
    ],
  },
  {
    alert: 'LagWillNotDrain',
    what: 'a small backlog grows',
    interval: '1m',
    series: { ...info, [of('consumer_lag', 0)]: ramp(0, 12, 60) },
    expect: [{ at: '59m' }],
  },
  {
    alert: 'LagWillNotDrain',
    what: 'a large backlog is worked off',
    interval: '1m',
    series: { ...info, [of('consumer_lag', 0)]: ramp(90_000, -500, 60) },
    expect: [{ at: '40m' }],
  },
  {
    alert: 'HotPartition',
    what: 'one key gets most of the events for a while',
    interval: '2m',
    series: {
      ...info,
      [of('consumer_lag', 0)]: inTurn(flat(900, 4), flat(1500, 12), flat(900, 6)),
      [of('consumer_lag', 1)]: flat(250, 22),
      [of('consumer_lag', 2)]: flat(250, 22),
    },
    expect: [
      { at: '16m' },
      {
        at: '18m',
        firing: [
          {
            labels,
            summary: 'One partition of events.main holds 75% of what pipeline reviews-to-postgres is behind.',
          },
        ],
      },
      { at: '34m' },
    ],
  },
  {
    alert: 'HotPartition',
    what: 'a topic of two partitions has no hot one',
    interval: '2m',
    series: { ...info, [of('consumer_lag', 0)]: flat(5000, 22), [of('consumer_lag', 1)]: flat(1, 22) },
    expect: [{ at: '30m' }],
  },
  crossing({
    alert: 'GroupEmpty',
    what: 'every consumer of the group is gone',
    series: 'broker_group_members{group="streamsre-consumer"}',
    good: 1,
    bad: 0,
    interval: '30s',
    beside: { 'broker_group_members{group="kcat"}': flat(0, 40) },
    firing: {
      labels: { group: 'streamsre-consumer' },
      summary: 'Consumer group streamsre-consumer has 0 members.',
    },
  }),
];
