import type { ClientBase } from 'pg';
import type { CatalogTable } from '../tables/catalog.ts';
import type { Changefeed } from './changefeed.ts';
import type { ChangefeedStore } from './changefeed-store.ts';
import { preflight, refuseFindings } from './preflight.ts';
import { publicationExists, publishTables } from './publication.ts';
import { checkSlot, createSlot, dropSlot, resourceName, slotExists, slotStatus } from './replication-slot.ts';
import { checkIdentity, sourceMoment } from './source-identity.ts';
import { currentSelection } from './source-scope.ts';
import { applicationName, type SourceSession } from './source-session.ts';

/** Where a changefeed begins or goes on. */
export interface PreparedSlot {
  readonly startLsn: bigint;
  /** Tables whose existing rows are wanted from now on. */
  readonly toCopy: readonly CatalogTable[];
  /** Why tables that the filter names are left out. */
  readonly ineligible: readonly string[];
}

/** Makes publication and slot ready, or makes sure that they still are what the checkpoint belongs to. */
export function prepareSlot(
  source: SourceSession,
  changefeed: Changefeed,
  sourceUrl: string,
  store: ChangefeedStore,
): Promise<PreparedSlot> {
  return source.use(async client => {
    refuseFindings(await preflight(client, changefeed.checkpointLsn === null));
    const selection = await currentSelection(client, source.scope, changefeed);
    const place = { client, source, changefeed, sourceUrl, store, tables: selection.tables };
    const prepared =
      changefeed.checkpointLsn === null
        ? await beginSlot(place)
        : await resumeSlot(place, changefeed.checkpointLsn);
    return { ...prepared, ineligible: selection.ineligible };
  });
}

interface Place {
  readonly client: ClientBase;
  readonly source: SourceSession;
  readonly changefeed: Changefeed;
  readonly sourceUrl: string;
  readonly store: ChangefeedStore;
  readonly tables: readonly CatalogTable[];
}

type Prepared = Omit<PreparedSlot, 'ineligible'>;

async function resumeSlot(place: Place, checkpointLsn: bigint): Promise<Prepared> {
  const { client, source, changefeed, sourceUrl, store, tables } = place;
  const name = resourceName(changefeed.id);
  const moment = await sourceMoment(client, sourceUrl);
  if (changefeed.source !== null) checkIdentity(changefeed.source, moment, checkpointLsn);
  checkSlot(name, await slotStatus(client, name), source.scope.databaseName, checkpointLsn);
  const joined = await publishTables(client, name, tables, true);
  if (changefeed.source?.timeline !== moment.timeline) await store.setSource(changefeed.id, moment);
  return { startLsn: checkpointLsn, toCopy: joined ?? [] };
}

/** A slot without a checkpoint is left from a creation that was cut short: nothing was ever sent from it. */
async function beginSlot({ client, changefeed, sourceUrl, store, tables }: Place): Promise<Prepared> {
  const { id, slotClaimed, config } = changefeed;
  const name = resourceName(id);
  if (slotClaimed) {
    await dropSlot(client, name, applicationName(id));
  } else {
    await refuseForeignResources(client, name);
    await store.claimSlot(id);
  }
  await publishTables(client, name, tables, false);
  // Asked before, so that a promotion meanwhile is noticed by the next session.
  const moment = await sourceMoment(client, sourceUrl);
  const startLsn = await createSlot(client, name);
  await store.setSource(id, moment);
  return { startLsn, toCopy: config.initial_copy ? tables : [] };
}

/**
 * Two installations of Tidemark can capture one database. What has our name and is not ours must not be taken over.
 * @throws TidemarkError `SLOT_EXISTS`
 */
export async function refuseForeignResources(client: ClientBase, name: string): Promise<void> {
  if ((await slotStatus(client, name)) !== undefined) {
    throw slotExists('replication slot', name, `SELECT pg_drop_replication_slot('${name}')`);
  }
  if (await publicationExists(client, name))
    throw slotExists('publication', name, `DROP PUBLICATION ${name}`);
}
