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
  /** Rejects when the database of changefeeds does not answer. */
  readonly ping: () => Promise<void>;
}

export const clusterId = 'default';

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
