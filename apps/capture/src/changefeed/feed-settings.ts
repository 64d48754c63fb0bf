import type { OutboxBounds } from '../stream/outbox.ts';

/** Bounds and intervals of a changefeed; tests make them small. */
export interface FeedSettings {
  readonly outbox: OutboxBounds;
  /** Least time between two checkpoints, milliseconds. */
  readonly checkpointIntervalMs: number;
  /** Time between two reports to the server and looks at the catalog, milliseconds. */
  readonly housekeepingMs: number;
  /** Least time between two watermarks, milliseconds. */
  readonly watermarkMs: number;
  /** Least time between two heartbeats of an idle database, milliseconds. */
  readonly heartbeatMs: number;
  /** Log without changes for us that gathers before the slot is moved over it, bytes. */
  readonly idleAdvanceBytes: bigint;
  /** Disk that large transactions may take before they commit, bytes. */
  readonly spoolBytesMax: number;
}

export const feedSettings: FeedSettings = {
  outbox: { bytesMax: 16 * 1024 * 1024, batchMessagesMax: 2000, batchBytesMax: 768 * 1024 },
  checkpointIntervalMs: 250,
  housekeepingMs: 10_000,
  watermarkMs: 1000,
  heartbeatMs: 30_000,
  idleAdvanceBytes: 64n * 1024n,
  spoolBytesMax: 64 * 1024 ** 3,
};
