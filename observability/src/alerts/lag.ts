import { groups } from '@tidemark/contracts/names';
import { series } from '../promql/series.ts';
import type { AlertSpec } from './alert.ts';
import { inState } from './pipeline-state.ts';

const common = { service: 'consumer', team: 'pipelines' } as const;

/** Gives a count by group and topic the name of its pipeline, so that alerts can be told apart and inhibited by it. */
const ofPipeline = (byGroupAndTopic: string) =>
  `${byGroupAndTopic}\n* on (group, topic) group_left (pipeline) max by (pipeline, group, topic) (${series('pipeline_info')})`;

/** Every consumer of a group tells of all its partitions, so what they say is merged before it is summed. */
const merged = (of: string) => `max by (group, topic, partition) (${of})`;
const lagOfPartition = merged(series('consumer_lag'));
const lag = `sum by (group, topic) (${lagOfPartition})`;
/** Other groups come and go as people look at topics. */
const ourGroups = Object.values(groups).join('|');
/** An operator who paused a pipeline knows that it stands still. */
const unlessPaused = `unless on (pipeline) ${inState('paused')}`;

/** How consumer groups move along their topics. */
export const lagAlerts: readonly AlertSpec[] = [
  {
    ...common,
    name: 'PipelineNotJoined',
    severity: 'page',
    slo: 'heartbeat',
    expr: () => inState('starting'),
    for: '3m',
    summary:
      'Pipeline {{ $labels.pipeline }} has not been given a partition for 3 minutes (starting is {{ $value }}).',
    impact: 'It reads nothing; its events wait in the broker.',
    place: { dashboard: 'consumer', row: 'Group' },
    provocation: {
      do: 'Start seven consumers: a topic with six partitions has none for the seventh. In earnest it is the broker that does not answer.',
    },
  },
  {
    ...common,
    name: 'ConsumerGroupStopped',
    severity: 'page',
    slo: 'freshness',
    expr: t =>
      [
        `(${ofPipeline(`(${lag} > 5\nunless max by (group, topic) (changes(${series('consumer_committed_offset')}[${t.window('5m')}])) > 0)`)})`,
        unlessPaused,
      ].join('\n'),
    for: '3m',
    summary:
      'Pipeline {{ $labels.pipeline }} commits nothing and has {{ $value }} events before it in {{ $labels.topic }}.',
    impact: 'Its events have no effect until it moves again.',
    place: { dashboard: 'consumer', row: 'Lag' },
    provocation: {
      do: 'Block its table: `BEGIN; LOCK TABLE reviews; SELECT pg_sleep(600);` in psql, and send events.',
    },
  },
  {
    ...common,
    name: 'PartitionStalled',
    severity: 'page',
    slo: 'freshness',
    expr: t => {
      const moves = `changes(${series('consumer_committed_offset')}[${t.window('5m')}])`;
      return [
        '(',
        ofPipeline(
          `(${lagOfPartition} > 5\nunless ${merged(moves)} > 0\nand on (group, topic) max by (group, topic) (${moves}) > 0)`,
        ),
        ')',
        unlessPaused,
      ].join('\n');
    },
    for: '3m',
    summary:
      'Partition {{ $labels.partition }} of {{ $labels.topic }} stands still in pipeline {{ $labels.pipeline }} with {{ $value }} events, while others move.',
    impact: 'Every key of that partition is stuck behind its first event.',
    place: { dashboard: 'consumer', row: 'Partitions' },
    provocation: {
      do: 'Lock one row that a partition writes: `BEGIN; SELECT … FROM reviews WHERE review_id = … FOR UPDATE; SELECT pg_sleep(600);`, and send its event again.',
    },
  },
  {
    ...common,
    name: 'OffsetRewound',
    severity: 'ticket',
    expr: t =>
      ofPipeline(
        `(min by (group, topic, partition) (delta(${series('consumer_committed_offset')}[${t.window('2m')}])) < 0)`,
      ),
    keepFiringFor: '10m',
    summary:
      'The position of pipeline {{ $labels.pipeline }} in {{ $labels.topic }}/{{ $labels.partition }} went back ({{ $value | humanize }} events in 2 minutes).',
    impact:
      'Events are read again. They are recognised as duplicates; the work is done twice, the effects are not.',
    place: { dashboard: 'consumer', row: 'Partitions' },
    provocation: {
      do: 'Stop the consumer, set its group back with `kafka-consumer-groups.sh --reset-offsets --to-earliest`, start it.',
    },
  },
  {
    ...common,
    name: 'HeadOfLineAge',
    severity: 'page',
    slo: 'freshness',
    expr: () =>
      `(${ofPipeline(`(max by (group, topic) (${series('consumer_oldest_unprocessed_seconds')}) > 120)`)})`,
    for: '2m',
    summary:
      'The first event of {{ $labels.topic }} that pipeline {{ $labels.pipeline }} has not done is {{ $value | humanizeDuration }} old.',
    impact: 'Whoever waits for that event has waited for more than two minutes, however short the queue.',
    place: { dashboard: 'consumer', row: 'Verdict' },
    provocation: { do: 'Pause a pipeline for five minutes while events are sent.' },
  },
  {
    ...common,
    name: 'ConsumerLagHigh',
    severity: 'ticket',
    slo: 'freshness',
    expr: () => `(${ofPipeline(`(${lag} > 10000)`)})`,
    for: '5m',
    summary: 'Pipeline {{ $labels.pipeline }} is {{ $value }} events behind in {{ $labels.topic }}.',
    impact: 'What it makes is late by as long as it takes to work that off.',
    place: { dashboard: 'consumer', row: 'Lag' },
    provocation: {
      do: 'Limit the pipeline to 10 events a second (`/settings?eventsPerSec=10`) and send `events/batch?count=20000`.',
    },
  },
  {
    ...common,
    name: 'LagWillNotDrain',
    severity: 'ticket',
    slo: 'freshness',
    expr: t => {
      const window = t.window('10m');
      const summed = (of: string) => `sum by (group, topic) (${merged(of)})`;
      const backlog = [
        `(${summed(`predict_linear(${series('consumer_lag')}[${window}], ${t.seconds('15m')})`)}`,
        `and ${summed(`deriv(${series('consumer_lag')}[${window}])`)} > 0`,
        `and ${lag} > 1000)`,
      ].join('\n');
      return `(${ofPipeline(backlog)})`;
    },
    for: '10m',
    summary:
      'More comes into {{ $labels.topic }} than pipeline {{ $labels.pipeline }} deals with; in 15 minutes it will be {{ $value | humanize }} events behind.',
    impact: 'Its results become later and later until somebody gives it more room or less work.',
    place: { dashboard: 'consumer', row: 'Lag' },
    provocation: {
      do: 'Limit the pipeline to 50 events a second and produce 100 a second for half an hour.',
    },
  },
  {
    ...common,
    name: 'HotPartition',
    severity: 'ticket',
    expr: () => {
      const per = (how: string) => `${how} by (group, topic) (${lagOfPartition})`;
      return `(${ofPipeline(`(${per('max')} / ${per('sum')} > 0.6\nand ${per('max')} > 1000\nand ${per('count')} >= 3)`)})`;
    },
    for: '10m',
    summary:
      'One partition of {{ $labels.topic }} holds {{ $value | humanizePercentage }} of what pipeline {{ $labels.pipeline }} is behind.',
    impact: 'Keys of that partition are late while the others are fresh; more consumers would not help.',
    place: { dashboard: 'consumer', row: 'Partitions' },
    provocation: {
      do: 'Produce with one key only: `POST localhost:8000/start-background` with `{"keys": 1, "ratePerSec": 2000}`, the pipeline limited to 500.',
    },
  },
  {
    ...common,
    name: 'RebalanceStorm',
    severity: 'ticket',
    expr: t => `sum by (pipeline) (increase(${series('rebalances_total')}[${t.window('10m')}])) > 5`,
    for: '2m',
    keepFiringFor: '5m',
    summary:
      'Pipeline {{ $labels.pipeline }} was given its partitions {{ $value | humanize }} times in 10 minutes.',
    impact: 'Work stops at every change of the group; the pipeline gets little done.',
    place: { dashboard: 'consumer', row: 'Group' },
    provocation: {
      do: 'Start and stop a second consumer with the same group every twenty seconds for five minutes.',
    },
  },
  {
    ...common,
    name: 'GroupEmpty',
    severity: 'page',
    slo: 'heartbeat',
    expr: () => `max by (group) (${series('broker_group_members', { group: `=~${ourGroups}` })}) == 0`,
    for: '2m',
    summary: 'Consumer group {{ $labels.group }} has {{ $value }} members.',
    impact: 'Nobody reads its topics; events wait until retention removes them.',
    place: { dashboard: 'consumer', row: 'Group' },
    provocation: { do: '`kill -STOP` the consumer past its session of six seconds, for three minutes.' },
  },
];
