import type { TableCopy } from '../snapshot/table-copy.ts';
import type { ReplicaConfig } from './replica-config.ts';
import type { SourceIdentity } from './source-identity.ts';

/** States of a changefeed, in TiCDC's words (pingcap/ticdc, pkg/config/changefeed.go). */
export const changefeedStates = ['normal', 'warning', 'failed', 'stopped', 'finished', 'removed'] as const;
export type ChangefeedState = (typeof changefeedStates)[number];

/** The error that a changefeed shows to whoever asks. */
export interface ChangefeedError {
  /** RFC 3339. */
  readonly time: string;
  readonly code: string;
  readonly message: string;
}

/** A changefeed as it is kept. */
export interface Changefeed {
  readonly id: string;
  /** Connection URL of the captured database; null for the one that keeps the changefeeds. */
  readonly sourceUri: string | null;
  readonly sinkUri: string;
  readonly config: ReplicaConfig;
  /** Key of the columns that are hashed. It stays as long as the changefeed, and is never shown. */
  readonly maskKey: Uint8Array;
  readonly state: ChangefeedState;
  readonly error: ChangefeedError | null;
  /** Null until the slot exists. */
  readonly checkpointLsn: bigint | null;
  /** The newest commitTs given out before the checkpoint. */
  readonly checkpointTs: bigint;
  /** The server that the checkpoint was taken on; null until the slot exists. */
  readonly source: SourceIdentity | null;
  /** A slot of this changefeed's name is its own. */
  readonly slotClaimed: boolean;
  readonly startTs: bigint;
  readonly targetTs: bigint;
  /** How far the copies of existing rows have come. */
  readonly copies: readonly TableCopy[];
  readonly createdAt: Date;
}
