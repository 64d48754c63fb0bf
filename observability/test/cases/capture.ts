import type { AlertCase } from '../alert-case.ts';
import { flat, inTurn, ramp, repeated } from '../series-values.ts';
import { crossing } from './crossing.ts';

const changefeed = { changefeed: 'sre-cdc' };
const slot = { slot: 'tidemark_sre_cdc' };
const mib = 1024 ** 2;
const gib = 1024 ** 3;

export const captureCases: readonly AlertCase[] = [
  crossing({
    alert: 'ChangefeedFailed',
    what: 'the changefeed fails and is created anew',
    series: 'capture_state{changefeed="sre-cdc",state="failed"}',
    good: 0,
    bad: 1,
    interval: '15s',
    firing: {
      labels: changefeed,
      summary: 'Changefeed sre-cdc has failed (state is 1) and does not start again by itself.',
    },
  }),
  crossing({
    alert: 'ChangefeedInterrupted',
    what: 'the broker is away',
    series: 'capture_state{changefeed="sre-cdc",state="warning"}',
    good: 0,
    bad: 1,
    interval: '30s',
    firing: {
      labels: changefeed,
      summary: 'Changefeed sre-cdc has been interrupted for 3 minutes (state warning is 1).',
    },
  }),
  crossing({
    alert: 'CaptureLagHigh',
    what: 'acknowledgements stay away',
    series: 'capture_lag_seconds{changefeed="sre-cdc"}',
    good: 55,
    bad: 75,
    interval: '30s',
    firing: { labels: changefeed, summary: 'Changefeed sre-cdc is 1m 15s behind the database.' },
  }),
  {
    alert: 'CheckpointNotAdvancing',
    what: 'the log grows and nothing is acknowledged, then all of it is',
    interval: '30s',
    series: {
      'capture_lag_bytes{changefeed="sre-cdc"}': inTurn(flat(0, 4), flat(2 * mib, 26), flat(0, 10)),
      'capture_transactions_total{changefeed="sre-cdc"}': inTurn(ramp(0, 1, 4), flat(4, 26), ramp(40, 1, 10)),
    },
    // Five minutes of log that waits and of no acknowledgement, and two that it has to last.
    expect: [
      { at: '8m30s' },
      {
        at: '9m',
        firing: [
          {
            labels: changefeed,
            summary: 'Changefeed sre-cdc has acknowledged nothing for 7 minutes, with 2MiB of log before it.',
          },
        ],
      },
      { at: '15m' },
    ],
  },
  {
    alert: 'CheckpointNotAdvancing',
    what: 'a busy changefeed is always a little behind, and moves',
    interval: '30s',
    series: {
      'capture_lag_bytes{changefeed="sre-cdc"}': flat(5 * mib, 60),
      'capture_transactions_total{changefeed="sre-cdc"}': ramp(0, 10, 60),
    },
    expect: [{ at: '29m' }],
  },
  {
    alert: 'CheckpointNotAdvancing',
    what: 'an idle database whose log is read to its end every five minutes, nearly',
    interval: '10s',
    series: {
      'capture_lag_bytes{changefeed="sre-cdc"}': inTurn(...repeated(4, [flat(0, 1), flat(2 * mib, 28)])),
      'capture_transactions_total{changefeed="sre-cdc"}': flat(7, 116),
    },
    expect: [{ at: '14m20s' }],
  },
  {
    alert: 'CheckpointNotAdvancing',
    what: 'a transaction every five minutes, nearly',
    interval: '10s',
    series: {
      'capture_lag_bytes{changefeed="sre-cdc"}': flat(2 * mib, 116),
      'capture_transactions_total{changefeed="sre-cdc"}': inTurn(
        ...[1, 2, 3, 4].map(count => flat(count, 29)),
      ),
    },
    expect: [{ at: '14m10s' }],
  },
  crossing({
    alert: 'SlotInactive',
    what: 'the changefeed is paused and resumed',
    series: 'capture_slot_active_state{slot="tidemark_sre_cdc"}',
    good: 1,
    bad: 0,
    interval: '30s',
    firing: {
      labels: slot,
      summary: 'Nobody has streamed replication slot tidemark_sre_cdc for 3 minutes (active is 0).',
    },
  }),
  {
    alert: 'SlotWalExhaustion',
    what: '20 MiB a minute are written, and nobody reads them',
    interval: '1m',
    series: {
      'capture_slot_safe_bytes{slot="tidemark_sre_cdc"}': inTurn(
        flat(2 * gib, 40),
        ramp(2 * gib, -20 * mib, 40),
        flat(4 * gib, 30),
      ),
    },
    expect: [
      { at: '57m' },
      {
        at: '58m',
        firing: [
          {
            labels: slot,
            summary:
              'At the pace of the last half hour replication slot tidemark_sre_cdc will be -1.313GiB over its limit in 4 hours.',
          },
        ],
      },
      { at: '80m' },
    ],
  },
  crossing({
    alert: 'SlotRetainsMuch',
    what: 'the log grows beyond two gibibytes',
    series: 'capture_slot_retained_bytes{slot="tidemark_sre_cdc"}',
    good: 1.9 * gib,
    bad: 2.5 * gib,
    interval: '2m',
    firing: {
      labels: slot,
      summary: 'The database keeps 2.5GiB of log for replication slot tidemark_sre_cdc.',
    },
  }),
  crossing({
    alert: 'SlotLost',
    what: 'the database drops the log',
    series: 'capture_slot_wal_state{slot="tidemark_sre_cdc",state="lost"}',
    good: 0,
    bad: 1,
    interval: '1m',
    beside: { 'capture_slot_wal_state{slot="tidemark_sre_cdc",state="reserved"}': flat(1, 30) },
    firing: {
      labels: { ...slot, state: 'lost' },
      summary: 'The log that replication slot tidemark_sre_cdc needs is lost (1 slot).',
    },
  }),
];
