import { type Clock, describeError } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import type { Changefeed } from './changefeed.ts';
import { publishTables } from './publication.ts';
import { resourceName } from './replication-slot.ts';
import { currentSelection, type SourceSession } from './source-session.ts';

export interface HousekeepingOptions {
  readonly changefeed: Changefeed;
  readonly source: SourceSession;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time between two rounds, milliseconds. */
  readonly intervalMs: number;
  /** Reports our position and asks for an answer: it tells that the server lives, and how far its log has come. */
  readonly askServer: () => void;
  /** How long the server has been silent although we listened, milliseconds. */
  readonly silentMs: () => number;
}

/** Rounds without a word from the server after which the connection counts as dead. */
const silentRoundsMax = 6;

/**
 * Reports to the server, notices a peer that vanished, and publishes tables that have appeared.
 * Resolves when the signal aborts; rejects when the server has been silent for too long.
 */
export async function keepHouse(options: HousekeepingOptions, signal: AbortSignal): Promise<void> {
  const { clock, intervalMs, askServer, silentMs } = options;
  for (;;) {
    await clock.sleep(intervalMs, signal).catch(() => {});
    if (signal.aborted) return;
    const silence = silentMs();
    if (silence > intervalMs * silentRoundsMax) {
      throw new Error(`the server has been silent for ${Math.round(silence / 1000)} s`);
    }
    askServer();
    await refreshPublication(options);
  }
}

async function refreshPublication({ changefeed, source, logger }: HousekeepingOptions): Promise<void> {
  try {
    const tables = await source.use(async client => {
      const selection = await currentSelection(client, source.databaseName, changefeed);
      const changed = await publishTables(client, resourceName(changefeed.id), selection.tables);
      return changed ? selection.tables : undefined;
    });
    if (tables === undefined) return;
    const names = tables.map(table => `${table.schema}.${table.name}`);
    logger.info({ changefeed: changefeed.id, tables: names }, 'the captured tables changed');
  } catch (error) {
    logger.warn(
      { changefeed: changefeed.id, error: describeError(error) },
      'cannot refresh the publication; trying again',
    );
  }
}
