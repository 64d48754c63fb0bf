import { describeError } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import type { ChunkMark } from '../snapshot/copy-lane.ts';
import type { Checkpointer } from '../stream/checkpointer.ts';
import type { Batch } from '../stream/outbox.ts';
import type { FeedMetrics } from './feed-metrics.ts';
import type { FeedStatus } from './feed-status.ts';

export interface FeedProgressOptions {
  readonly changefeedId: string;
  readonly status: FeedStatus;
  readonly metrics: FeedMetrics;
  readonly logger: Logger;
  readonly checkpointer: Checkpointer;
  /** The broker has acknowledged rows of a table's copy. */
  readonly onChunk: (mark: ChunkMark) => void;
  /** Log without changes for us that gathers before the slot is moved over it, bytes. */
  readonly idleAdvanceBytes: bigint;
  /** Wall clock, milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** Keeps the status of a changefeed and hands positions that are safe to the checkpointer. */
export class FeedProgress {
  readonly #options: FeedProgressOptions;

  constructor(options: FeedProgressOptions) {
    this.#options = options;
  }

  acknowledged(batch: Batch, outboxBytes: number): void {
    const { changefeedId, status, metrics, checkpointer } = this.#options;
    status.outboxBytes = outboxBytes;
    metrics.acknowledged(changefeedId, batch);
    for (const { chunk } of batch.marks) if (chunk !== undefined) this.#options.onChunk(chunk);
    const mark = batch.marks.at(-1);
    if (mark === undefined) return;
    status.checkpointTs = mark.commitTs;
    if (mark.endLsn > status.reachedLsn) status.reachedLsn = mark.endLsn;
    const commitMs = batch.marks.findLast(each => each.commitMs !== undefined)?.commitMs;
    if (commitMs !== undefined) status.acknowledgedMs = commitMs;
    checkpointer.reached({ lsn: mark.endLsn, commitTs: mark.commitTs });
  }

  /**
   * The server says how far it has read its log. When nothing of ours is under way, what lies before needs no one any
   * more, although no commit of ours marks its end.
   * @param newestTs the newest commitTs given out
   */
  serverReached(endLsn: bigint, isIdle: boolean, newestTs: bigint): void {
    const { status, checkpointer, idleAdvanceBytes, now } = this.#options;
    status.serverLsn = endLsn;
    status.idleAtMs = isIdle ? now() : undefined;
    if (!isIdle) return;
    if (endLsn > status.reachedLsn) status.reachedLsn = endLsn;
    if (endLsn - checkpointer.confirmedLsn >= idleAdvanceBytes) {
      checkpointer.reached({ lsn: endLsn, commitTs: newestTs });
    }
  }

  sinkTrouble(error: unknown): void {
    const { status, logger, changefeedId } = this.#options;
    const reason = describeError(error);
    if (status.sinkError === undefined) {
      logger.warn({ changefeed: changefeedId, error: reason }, 'the broker takes no changes; trying again');
    }
    status.sinkError = reason;
    status.state = 'warning';
  }

  sinkRecovered(): void {
    const { status, logger, changefeedId } = this.#options;
    status.sinkError = undefined;
    status.state = 'normal';
    logger.info({ changefeed: changefeedId }, 'the broker takes changes again');
  }
}
