import { type Clock, describeError } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import type { CatalogTable } from '../tables/catalog.ts';
import type { Changefeed } from './changefeed.ts';
import { publishTables } from './publication.ts';
import { resourceName } from './replication-slot.ts';
import { currentSelection } from './source-scope.ts';
import type { SourceSession } from './source-session.ts';

export interface HousekeepingOptions {
  readonly changefeed: Changefeed;
  readonly source: SourceSession;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time between two rounds, milliseconds. */
  readonly intervalMs: number;
  /** Looks at the slot; rejects when it can no longer be trusted. */
  readonly watchSlot: () => Promise<void>;
  /** Reports our position and asks for an answer: it tells that the server lives, and how far its log has come. */
  readonly askServer: () => void;
  /** How long the server has been silent although we listened, milliseconds. */
  readonly silentMs: () => number;
  /** Tables were published that were not before. */
  readonly onJoined: (tables: readonly CatalogTable[]) => Promise<void>;
}

/** Rounds without a word from the server after which the connection counts as dead. */
const silentRoundsMax = 6;

/**
 * Looks at the slot, reports to the server, notices a peer that vanished, and publishes tables that have appeared.
 * Resolves when the signal aborts; rejects when the server has been silent for too long.
 */
export async function keepHouse(options: HousekeepingOptions, signal: AbortSignal): Promise<void> {
  const { clock, intervalMs, watchSlot, askServer, silentMs } = options;
  for (;;) {
    await clock.sleep(intervalMs, signal).catch(() => {});
    if (signal.aborted) return;
    const silence = silentMs();
    if (silence > intervalMs * silentRoundsMax) {
      throw new Error(`the server has been silent for ${Math.round(silence / 1000)} s`);
    }
    await watchSlot();
    askServer();
    await refreshPublication(options);
  }
}

async function refreshPublication(options: HousekeepingOptions): Promise<void> {
  const { changefeed, source, logger, onJoined } = options;
  try {
    const joined = await source.use(async client => {
      const { tables } = await currentSelection(client, source.scope, changefeed);
      return publishTables(client, resourceName(changefeed.id), tables, true);
    });
    if (joined === undefined) return;
    const names = joined.map(table => `${table.schema}.${table.name}`);
    logger.info({ changefeed: changefeed.id, joined: names }, 'the captured tables changed');
    await onJoined(joined);
  } catch (error) {
    logger.warn(
      { changefeed: changefeed.id, error: describeError(error) },
      'cannot refresh the publication; trying again',
    );
  }
}
