import type { Metrics } from '@tidemark/observability';
import type { Batch } from '../stream/outbox.ts';
import { changefeedStates } from './changefeed.ts';
import type { FeedStatus } from './feed-status.ts';

/** Counts what the broker acknowledged, and shows how far each changefeed is behind. */
export interface FeedMetrics {
  acknowledged(changefeed: string, batch: Batch): void;
  /** Bytes of a large transaction were put on disk. */
  spooled(changefeed: string, bytes: number): void;
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
  const spool = metrics.gauge('capture_spool_bytes');
  const spooled = metrics.counter('capture_spooled_bytes_total');
  const wal = walMetrics(metrics);

  metrics.beforeScrape(() => {
    for (const gauge of [lagSeconds, lagBytes, states, spool]) gauge.reset();
    wal.reset();
    for (const [changefeed, status] of feeds()) {
      lagSeconds.set({ changefeed }, lagSecondsOf(status, now()));
      lagBytes.set({ changefeed }, Math.max(0, Number(status.serverLsn - status.reachedLsn)));
      spool.set({ changefeed }, status.spoolBytes);
      for (const state of changefeedStates) {
        states.set({ changefeed, state }, state === status.state ? 1 : 0);
      }
      wal.show(changefeed, status);
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
    spooled: (changefeed, bytes) => spooled.inc({ changefeed }, bytes),
  };
}

/** What the write-ahead log may do in a slot (PostgreSQL documentation, "pg_replication_slots"). */
const walStates = ['reserved', 'extended', 'unreserved', 'lost'] as const;

/** How much log the slot keeps, and how much more it may. */
function walMetrics(metrics: Metrics) {
  const retained = metrics.gauge('capture_retained_wal_bytes');
  const safe = metrics.gauge('capture_safe_wal_bytes');
  const states = metrics.gauge('capture_wal_state');
  return {
    reset() {
      for (const gauge of [retained, safe, states]) gauge.reset();
    },
    show(changefeed: string, { slot }: FeedStatus) {
      if (slot === undefined) return;
      retained.set({ changefeed }, Number(slot.retainedWalBytes));
      if (slot.safeWalBytes !== null) safe.set({ changefeed }, Number(slot.safeWalBytes));
      for (const state of walStates) {
        states.set({ changefeed, state }, state === slot.walStatus ? 1 : 0);
      }
    },
  };
}

/**
 * Age of the oldest thing that waits: a change on its way to the broker, or an end of the log that the stream has not
 * come to, because the server decodes slowly or not at all.
 */
function lagSecondsOf(
  { outboxBytes, acknowledgedMs, awaited, reachedLsn }: FeedStatus,
  nowMs: number,
): number {
  const ages = [0];
  if (outboxBytes > 0 && acknowledgedMs !== undefined) ages.push(nowMs - acknowledgedMs);
  if (awaited !== undefined && awaited.lsn > reachedLsn) ages.push(nowMs - awaited.sinceMs);
  return Math.max(...ages) / 1000;
}
