import { TidemarkError } from '@tidemark/kernel';
import type { CatalogTable } from '../tables/catalog.ts';
import { messageDatabase } from '../tables/names.ts';
import { tableMatcher } from '../tables/table-filter.ts';
import type { Changefeed } from './changefeed.ts';
import { preflight, refuseFindings } from './preflight.ts';
import { dropPublication } from './publication.ts';
import type { ReplicaConfig } from './replica-config.ts';
import { dropSlot, resourceName } from './replication-slot.ts';
import { refuseForeignResources } from './slot-preparation.ts';
import type { DatabaseIdentity } from './source-identity.ts';
import { currentSelection, sourceScope } from './source-scope.ts';
import { applicationName, withSource } from './source-session.ts';

/** What is asked of a source before a changefeed over it is kept. */
export interface SourceQuestion {
  readonly id: string;
  readonly url: string;
  readonly config: ReplicaConfig;
  /** True when slot and publication have still to be created. */
  readonly isNew: boolean;
  /** The database that keeps the changefeeds. */
  readonly own: DatabaseIdentity;
}

/**
 * Everything that can be known before something is created, so that the client hears of it at once.
 * @throws TidemarkError `SOURCE_UNREACHABLE`, `PREFLIGHT_FAILED`, `TABLE_INELIGIBLE` or `SLOT_EXISTS`
 */
export async function checkSource({ id, url, config, isNew, own }: SourceQuestion): Promise<void> {
  await withSource(url, id, async client => {
    const findings = await preflight(client, isNew);
    const selection = await currentSelection(client, await sourceScope(client, own), { config });
    const ineligible = config.ignore_ineligible_table ? [] : selection.ineligible;
    refuseFindings(findings, ineligible);
    if (ineligible.length > 0) {
      throw new TidemarkError(
        'TABLE_INELIGIBLE',
        `some tables cannot be captured: ${ineligible.join('; ')}`,
        { hint: 'Mend them, leave them out by filter.rules, or set ignore_ineligible_table.' },
      );
    }
    if (isNew) await refuseForeignResources(client, resourceName(id));
  });
}

/**
 * The captured tables that further rules name.
 * @throws TidemarkError `PARAMETER_INVALID` when there is none
 */
export async function capturedTables(
  url: string,
  own: DatabaseIdentity,
  feed: Changefeed,
  rules: readonly string[],
): Promise<readonly CatalogTable[]> {
  const wanted = tableMatcher(rules, feed.config.case_sensitive);
  return withSource(url, feed.id, async client => {
    const scope = await sourceScope(client, own);
    const { tables } = await currentSelection(client, scope, feed);
    const named = tables.filter(({ schema, name }) =>
      wanted.matches(messageDatabase(scope.databaseName, schema), name),
    );
    if (named.length > 0) return named;
    throw new TidemarkError(
      'PARAMETER_INVALID',
      `changefeed ${feed.id} captures no table that ${rules.join(', ')} names`,
    );
  });
}

/** Drops slot and publication of a changefeed. What was never claimed is not ours to drop. */
export async function removeResources(
  url: string,
  { id, slotClaimed }: Pick<Changefeed, 'id' | 'slotClaimed'>,
): Promise<void> {
  if (!slotClaimed) return;
  await withSource(url, id, async client => {
    await dropSlot(client, resourceName(id), applicationName(id));
    await dropPublication(client, resourceName(id));
  });
}
