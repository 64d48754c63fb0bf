import { TidemarkError } from '@tidemark/kernel';
import type { Changefeeds } from '../changefeed/changefeeds.ts';

/** What the routes of both versions need. */
export interface CaptureApi {
  readonly changefeeds: Changefeeds;
  /** Identity of this process, as `/status` and `/captures` show it. */
  readonly captureId: string;
  readonly pid: number;
  /** host:port that clients reach us at. */
  readonly address: () => string;
  /** Wall clock, milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** How much is logged from now on. */
  readonly setLogLevel: (level: string) => unknown;
  /** Rejects when the database of changefeeds does not answer. */
  readonly ping: () => Promise<void>;
}

export const clusterId = 'default';

export function captureItem(api: CaptureApi) {
  return { id: api.captureId, is_owner: true, address: api.address(), cluster_id: clusterId };
}

/**
 * A slot begins where it is created: PostgreSQL keeps no older changes for it, and its end is not a matter of time.
 * Zero means now and for ever, which is what most clients send.
 */
export function refuseTimeTravel(body: { readonly start_ts?: number; readonly target_ts?: number }): void {
  if ((body.start_ts ?? 0) !== 0) {
    throw new TidemarkError(
      'START_TS_INVALID',
      'start_ts must be 0: PostgreSQL keeps no changes from before',
      {
        hint: 'Leave start_ts out; the changefeed begins with the next commit.',
      },
    );
  }
  if ((body.target_ts ?? 0) !== 0) {
    throw new TidemarkError(
      'TARGET_TS_INVALID',
      'target_ts must be 0: a changefeed runs until it is paused',
      {
        hint: 'Leave target_ts out, and pause the changefeed when it is no longer wanted.',
      },
    );
  }
}

/** A slot goes on where it stands; nothing before it is kept, and going on later would lose what lies between. */
export function refuseOverwrite(checkpointTs: number | undefined): void {
  if ((checkpointTs ?? 0) === 0) return;
  throw new TidemarkError(
    'PARAMETER_INVALID',
    'overwrite_checkpoint_ts must be 0: the slot goes on where it stands',
    {
      hint: 'To get rows again, ask for a copy: POST /api/v2/changefeeds/<id>/copy.',
    },
  );
}
