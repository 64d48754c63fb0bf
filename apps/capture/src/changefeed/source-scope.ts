import { escapeIdentifier, type ClientBase } from 'pg';
import { type CatalogTable, listTables } from '../tables/catalog.ts';
import { type Selection, selectTables } from '../tables/selection.ts';
import { tableFilter } from '../tables/table-filter.ts';
import type { Changefeed } from './changefeed.ts';
import { tableRules } from './table-rules.ts';
import { type DatabaseIdentity, identityQuery } from './source-identity.ts';

/** The captured database. */
export interface SourceScope {
  readonly databaseName: string;
  /** True for the database that keeps the changefeeds. */
  readonly isOwn: boolean;
}

export async function sourceScope(client: ClientBase, own: DatabaseIdentity): Promise<SourceScope> {
  const { rows } = await client.query<DatabaseIdentity>(identityQuery);
  const { system, database } = rows[0] ?? { system: '', database: '' };
  return { databaseName: database, isOwn: system === own.system && database === own.database };
}

/** The tables that the changefeed names as the database stands now. */
export async function currentSelection(
  client: ClientBase,
  { databaseName, isOwn }: SourceScope,
  { config }: Pick<Changefeed, 'config'>,
): Promise<Selection> {
  const filter = tableFilter(config.filter.rules, config.case_sensitive, isOwn);
  const { treat, dispatcher } = tableRules(config, new Uint8Array());
  const { tables, ineligible } = selectTables(await listTables(client), databaseName, filter, {
    forceReplicate: config.force_replicate,
    treat,
    dispatcher,
  });
  const refused = await missingRights(client, tables);
  return {
    tables: tables.filter(({ oid }) => !refused.has(oid)),
    ineligible: [...ineligible, ...refused.values()],
  };
}

interface Rights {
  oid: string;
  role: string;
  owner: string;
  is_owner: boolean;
  may_read: boolean;
}

/** Only the owner of a table may publish it, and copies are read by SELECT. */
async function missingRights(
  client: ClientBase,
  tables: readonly CatalogTable[],
): Promise<ReadonlyMap<number, string>> {
  const { rows } = await client.query<Rights>(
    `SELECT c.oid::int8 AS oid, current_user::text AS role, pg_get_userbyid(c.relowner)::text AS owner,
            pg_has_role(c.relowner, 'USAGE') AS is_owner,
            has_schema_privilege(c.relnamespace, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS may_read
       FROM pg_class c WHERE c.oid = ANY ($1::int8[]::oid[])`,
    [tables.map(({ oid }) => oid)],
  );
  const rightsOf = new Map(rows.map(row => [Number(row.oid), row]));
  const refused = new Map<number, string>();
  for (const table of tables) {
    const rights = rightsOf.get(table.oid);
    const reason = rights === undefined ? undefined : whyRefused(table, rights);
    if (reason !== undefined) refused.set(table.oid, reason);
  }
  return refused;
}

function whyRefused({ schema, name }: CatalogTable, rights: Rights): string | undefined {
  const table = `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
  const [role, owner] = [escapeIdentifier(rights.role), escapeIdentifier(rights.owner)];
  if (!rights.is_owner)
    return `${table} belongs to ${owner}, and only its owner may publish it: GRANT ${owner} TO ${role}`;
  if (!rights.may_read) {
    return `${table} may not be read: GRANT USAGE ON SCHEMA ${escapeIdentifier(schema)} TO ${role}; GRANT SELECT ON ${table} TO ${role}`;
  }
  return undefined;
}
