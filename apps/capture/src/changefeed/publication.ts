import { TidemarkError } from '@tidemark/kernel';
import { type ClientBase, escapeIdentifier } from 'pg';
import type { CatalogTable } from '../tables/catalog.ts';

/** First version whose publications can carry stored generated columns, in the form of server_version_num. */
const generatedColumnsVersion = 180_000;

/**
 * Makes the publication hold exactly the tables, creating it if needed. It must exist before the slot is created:
 * the plugin looks it up as of the change that it decodes, so one that is made anew does not serve older changes.
 * @param mustExist true when the slot has sent something already
 * @throws TidemarkError `PUBLICATION_MISSING`
 * @returns the tables that were not published before, or undefined when nothing was changed
 */
export async function publishTables(
  client: ClientBase,
  publication: string,
  tables: readonly CatalogTable[],
  mustExist: boolean,
): Promise<readonly CatalogTable[] | undefined> {
  const published = await publishedTables(client, publication);
  if (published === undefined) {
    if (mustExist) throw publicationMissing(publication);
    await createPublication(client, publication, tables);
    return tables;
  }
  const wanted = new Set(tables.map(table => table.oid));
  if (published.size === wanted.size && [...published].every(oid => wanted.has(oid))) return undefined;
  if (wanted.size > 0) {
    await client.query(`ALTER PUBLICATION ${escapeIdentifier(publication)} SET ${tableList(tables)}`);
  } else {
    await dropPublication(client, publication);
    await createPublication(client, publication, []);
  }
  return tables.filter(table => !published.has(table.oid));
}

export async function publicationExists(client: ClientBase, publication: string): Promise<boolean> {
  return (await publishedTables(client, publication)) !== undefined;
}

export async function dropPublication(client: ClientBase, publication: string): Promise<void> {
  await client.query(`DROP PUBLICATION IF EXISTS ${escapeIdentifier(publication)}`);
}

function publicationMissing(publication: string): TidemarkError {
  return new TidemarkError('PUBLICATION_MISSING', `publication ${publication} does not exist any more`, {
    hint: 'What was written without it cannot be decoded. Remove the changefeed and create it again with initial_copy.',
  });
}

/** Numbers of the published tables; undefined when there is no such publication. */
async function publishedTables(client: ClientBase, publication: string): Promise<Set<number> | undefined> {
  const { rows } = await client.query<{ oid: string | null }>(
    `SELECT r.prrelid::int8 AS oid
       FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid WHERE p.pubname = $1`,
    [publication],
  );
  if (rows.length === 0) return undefined;
  return new Set(rows.flatMap(row => (row.oid === null ? [] : [Number(row.oid)])));
}

async function createPublication(
  client: ClientBase,
  publication: string,
  tables: readonly CatalogTable[],
): Promise<void> {
  const { rows } = await client.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int4 AS version`,
  );
  const settings = [`publish = 'insert, update, delete, truncate'`, 'publish_via_partition_root = true'];
  if ((rows[0]?.version ?? 0) >= generatedColumnsVersion) settings.push('publish_generated_columns = stored');
  const target = tables.length === 0 ? '' : `FOR ${tableList(tables)}`;
  await client.query(
    `CREATE PUBLICATION ${escapeIdentifier(publication)} ${target} WITH (${settings.join(', ')})`,
  );
}

function tableList(tables: readonly CatalogTable[]): string {
  const names = tables.map(table => `ONLY ${escapeIdentifier(table.schema)}.${escapeIdentifier(table.name)}`);
  return `TABLE ${names.join(', ')}`;
}
