import { type Receiver, receivers, type Settings } from './settings.ts';

/** Who is told what, how often, and what keeps quiet while something else is louder. */
export function alertmanagerConfig(settings: Settings): unknown {
  const { times } = settings;
  return {
    global: { resolve_timeout: times.wait('5m') },
    route: {
      // Whatever gets here has no severity that anybody knows, which is a defect of its rule.
      receiver: 'unrouted' satisfies Receiver,
      group_by: ['alertname'],
      group_wait: times.wait('30s'),
      group_interval: times.wait('5m'),
      repeat_interval: times.wait('4h'),
      routes: routes(settings),
    },
    inhibit_rules: inhibitions,
    time_intervals: [
      {
        name: 'working-hours',
        time_intervals: [
          { weekdays: ['monday:friday'], times: [{ start_time: '08:00', end_time: '18:00' }] },
        ],
      },
    ],
    receivers: receivers.map(name => ({
      name,
      webhook_configs: [{ url: settings.receivers[name], send_resolved: name !== 'watchdog' }],
    })),
  };
}

function routes({ times }: Settings): readonly unknown[] {
  return [
    {
      // Somebody independent hears this every minute, and raises the alarm when it stops.
      receiver: 'watchdog' satisfies Receiver,
      matchers: ['severity="heartbeat"'],
      group_wait: '0s',
      group_interval: times.wait('1m'),
      repeat_interval: times.wait('1m'),
    },
    {
      // A drill is told to its referee as well, never instead: it is the real way that is exercised.
      receiver: 'drill' satisfies Receiver,
      matchers: ['drill=~".+"', 'drill!="none"'],
      group_by: ['...'],
      group_wait: '0s',
      continue: true,
    },
    {
      receiver: 'page' satisfies Receiver,
      matchers: ['severity="page"'],
      group_by: ['alertname', 'pipeline'],
      group_wait: times.wait('20s'),
      group_interval: times.wait('2m'),
      repeat_interval: times.wait('2h'),
    },
    {
      receiver: 'ticket' satisfies Receiver,
      matchers: ['severity="ticket"'],
      group_by: ['team', 'slo'],
      group_wait: times.wait('5m'),
      group_interval: times.wait('1h'),
      repeat_interval: times.wait('1d'),
      active_time_intervals: ['working-hours'],
    },
  ];
}

export interface Inhibition {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal: readonly string[];
}

const because = (
  source: readonly string[],
  target: readonly string[],
  equal: readonly string[],
): Inhibition => ({
  source_matchers: [`alertname=~"${source.join('|')}"`],
  target_matchers: [`alertname=~"${target.join('|')}"`],
  equal: [...equal, 'drill'],
});

/** What follows from something else says nothing new while that lasts. The cause is the one to look at. */
export const inhibitions: readonly Inhibition[] = [
  because(
    ['BrokerDown'],
    [
      'ChangefeedInterrupted',
      'CaptureLagHigh',
      'CheckpointNotAdvancing',
      'GroupEmpty',
      'PipelineNotJoined',
      'ProduceErrors',
    ],
    [],
  ),
  because(['ConsumerDown'], ['GroupEmpty', 'RebalanceStorm'], []),
  because(['CaptureDown'], ['ChangefeedInterrupted', 'CaptureLagHigh', 'SlotInactive'], []),
  because(
    ['ChangefeedFailed', 'ChangefeedInterrupted'],
    ['CaptureLagHigh', 'CheckpointNotAdvancing'],
    ['changefeed'],
  ),
  because(
    ['PipelineWaiting'],
    ['ConsumerGroupStopped', 'PartitionStalled', 'HeadOfLineAge', 'ConsumerLagHigh', 'LagWillNotDrain'],
    ['pipeline'],
  ),
  because(['ConsumerGroupStopped'], ['HeadOfLineAge', 'ConsumerLagHigh', 'LagWillNotDrain'], ['pipeline']),
  because(['DeadLetterRatioHigh'], ['DeadLetterInflow'], ['pipeline']),
  because(['SlotLost', 'SlotWalExhaustion'], ['SlotRetainsMuch'], ['slot']),
  because(['ApiDown'], ['ProbeFailed'], ['slo']),
  because(['DiskFull'], ['DiskWillFill'], ['instance', 'mountpoint']),
  {
    source_matchers: ['severity="page"', 'slo=~".+"'],
    target_matchers: ['severity="ticket"', 'slo=~".+"'],
    equal: ['slo', 'drill'],
  },
];
