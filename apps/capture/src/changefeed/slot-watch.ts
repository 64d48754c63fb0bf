import { type Clock, describeError } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import type { Changefeed } from './changefeed.ts';
import { type FeedStatus, slotInDanger } from './feed-status.ts';
import { checkSlot, resourceName, type SlotStatus, slotStatus } from './replication-slot.ts';
import type { SourceSession } from './source-session.ts';

export interface SlotWatchOptions {
  readonly changefeed: Changefeed;
  readonly source: SourceSession;
  readonly status: FeedStatus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The position that the slot stands at, at most. */
  readonly confirmedLsn: () => bigint;
  /** Least time between two heartbeats, milliseconds. */
  readonly heartbeatMs: number;
}

/** Prefix of the logical messages that move the slot of an idle database. */
export const heartbeatPrefix = 'tidemark heartbeat';

/** Log that gathers before a heartbeat is worth it; our own footprints stay below, bytes. */
const heartbeatBytes = 4096n;

/**
 * Looks at the slot from outside its stream: how much log it keeps, and whether the server is about to give it up. When
 * others write and nobody writes to the captured tables, a heartbeat gives the stream a commit to stand at.
 */
export class SlotWatch {
  readonly #options: SlotWatchOptions;
  #beatAtMs: number;

  constructor(options: SlotWatchOptions) {
    this.#options = options;
    this.#beatAtMs = options.clock.monotonic();
  }

  /** @throws TidemarkError when the slot can no longer be trusted */
  async look(): Promise<void> {
    const { changefeed, source, confirmedLsn } = this.#options;
    const name = resourceName(changefeed.id);
    const slot = await source.use(client => slotStatus(client, name));
    checkSlot(name, slot, source.scope.databaseName, confirmedLsn());
    if (slot === undefined) return;
    this.#note(slot);
    if (slot.currentLsn - confirmedLsn() > heartbeatBytes) await this.#beat();
  }

  #note(slot: SlotStatus): void {
    const { status, clock } = this.#options;
    const now = clock.now();
    status.slot = slot;
    if (slot.currentLsn > status.serverLsn) status.serverLsn = slot.currentLsn;
    if (status.awaited === undefined || status.reachedLsn >= status.awaited.lsn) {
      status.awaited = { lsn: slot.currentLsn, sinceMs: now };
    }
    this.#warn(slot, now);
  }

  /** Says that the slot is in danger as long as it is, unless something worse is to be said. */
  #warn({ walStatus, retainedWalBytes }: SlotStatus, nowMs: number): void {
    const { status, logger, changefeed } = this.#options;
    const isShown = status.error?.code === slotInDanger;
    if (walStatus !== 'unreserved') {
      if (isShown) Object.assign(status, { state: 'normal', error: null });
      return;
    }
    if (isShown) status.state = 'warning'; // a broker that recovered has set it to normal
    if (status.error !== null) return;
    const message = `the server may remove log that the slot needs: it keeps ${retainedWalBytes} bytes, more than max_slot_wal_keep_size — Raise max_slot_wal_keep_size until the changefeed has caught up.`;
    status.error = { time: new Date(nowMs).toISOString(), code: slotInDanger, message };
    status.state = 'warning';
    logger.warn({ changefeed: changefeed.id, error: message }, 'the replication slot is in danger');
  }

  async #beat(): Promise<void> {
    const { source, clock, heartbeatMs, logger, changefeed } = this.#options;
    if (clock.monotonic() - this.#beatAtMs < heartbeatMs) return;
    this.#beatAtMs = clock.monotonic();
    try {
      await source.use(client =>
        client.query('SELECT pg_logical_emit_message(true, $1, $2)', [heartbeatPrefix, '']),
      );
    } catch (error) {
      logger.warn({ changefeed: changefeed.id, error: describeError(error) }, 'cannot write a heartbeat');
    }
  }
}
