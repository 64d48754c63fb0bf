import type { Metrics } from '@tidemark/observability';
import type { Batch } from '../stream/outbox.ts';
import { changefeedStates } from './changefeed.ts';
import type { FeedStatus } from './feed-status.ts';

/** Counts what the broker acknowledged, and shows how far each changefeed is behind. */
export interface FeedMetrics {
  acknowledged(changefeed: string, batch: Batch): void;
}

export function feedMetrics(
  metrics: Metrics,
  feeds: () => ReadonlyMap<string, FeedStatus>,
  now: () => number,
): FeedMetrics {
  const changes = metrics.counter('capture_changes_total');
  const transactions = metrics.counter('capture_transactions_total');
  const commitToAck = metrics.histogram('capture_commit_to_ack_seconds');
  const lagSeconds = metrics.gauge('capture_lag_seconds');
  const lagBytes = metrics.gauge('capture_lag_bytes');
  const states = metrics.gauge('capture_state');

  metrics.beforeScrape(() => {
    for (const gauge of [lagSeconds, lagBytes, states]) gauge.reset();
    for (const [changefeed, status] of feeds()) {
      lagSeconds.set({ changefeed }, lagSecondsOf(status, now()));
      lagBytes.set({ changefeed }, Math.max(0, Number(status.serverLsn - status.reachedLsn)));
      for (const state of changefeedStates) {
        states.set({ changefeed, state }, state === status.state ? 1 : 0);
      }
    }
  });
  return {
    acknowledged(changefeed, batch) {
      for (const { table, op, changeId } of batch.messages) {
        if (changeId !== undefined) changes.inc({ changefeed, table, op });
      }
      for (const { commitMs } of batch.marks) {
        if (commitMs === undefined) continue;
        transactions.inc({ changefeed });
        commitToAck.observe({ changefeed }, Math.max(0, now() - commitMs) / 1000);
      }
    },
  };
}

function lagSecondsOf({ outboxBytes, acknowledgedMs }: FeedStatus, nowMs: number): number {
  if (outboxBytes === 0 || acknowledgedMs === undefined) return 0;
  return Math.max(0, nowMs - acknowledgedMs) / 1000;
}
