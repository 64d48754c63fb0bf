import type { Changefeed, ChangefeedError, ChangefeedState } from './changefeed.ts';
import type { SlotStatus } from './replication-slot.ts';

/** Code of the warning that the server is about to give the slot up. */
export const slotInDanger = 'CDC:SLOT_IN_DANGER';

/** What is known about a running changefeed at this moment. One object a feed, written by its session. */
export interface FeedStatus {
  state: ChangefeedState;
  error: ChangefeedError | null;
  /** It captures the database that keeps the changefeeds, so its trouble is that of the service. */
  readonly isOwn: boolean;
  /** True while the slot is streamed. */
  streaming: boolean;
  /** Why the sink does not take messages; undefined while it does. */
  sinkError: string | undefined;
  /** Newest commitTs of which everything is acknowledged. */
  checkpointTs: bigint;
  /** End of the server's log when it last spoke. */
  serverLsn: bigint;
  /** Everything up to here is acknowledged or none of our business. */
  reachedLsn: bigint;
  /** Commit time of the newest acknowledged transaction, milliseconds since the Unix epoch. */
  acknowledgedMs: number | undefined;
  /** Wall clock when the server last said that nothing is waiting; undefined while something is. */
  idleAtMs: number | undefined;
  /** The slot when it was last looked at. */
  slot: SlotStatus | undefined;
  /** An end of the log that was seen from outside the stream, and when; the stream has to come there. */
  awaited: { readonly lsn: bigint; readonly sinceMs: number } | undefined;
  /** Bytes between the stream and the broker. */
  outboxBytes: number;
  /** Bytes of large transactions on disk. */
  spoolBytes: number;
}

export function newFeedStatus(
  state: ChangefeedState,
  { checkpointTs, sourceUri }: Pick<Changefeed, 'checkpointTs' | 'sourceUri'>,
): FeedStatus {
  return {
    state,
    isOwn: sourceUri === null,
    error: null,
    streaming: false,
    sinkError: undefined,
    checkpointTs,
    serverLsn: 0n,
    reachedLsn: 0n,
    acknowledgedMs: undefined,
    idleAtMs: undefined,
    slot: undefined,
    awaited: undefined,
    outboxBytes: 0,
    spoolBytes: 0,
  };
}
