import type { ClientBase } from 'pg';
import type { ReplicaIdentity } from '../protocol/pgoutput.ts';

/** A table as the catalog describes it now. */
export interface CatalogTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly replicaIdentity: ReplicaIdentity;
  /** Columns of the primary key in table order; null when there is none that could serve as an identity. */
  readonly primaryKey: readonly string[] | null;
  /** True when `replicaIdentity` is an index and the index is still there. */
  readonly hasIdentityIndex: boolean;
}

/**
 * Tables that can be published: permanent ones outside the system schemas, partitioned ones as a whole instead of
 * their partitions. A deferrable primary key is none, because PostgreSQL does not accept it as replica identity.
 */
const tablesQuery = `
  SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, c.relreplident AS "replicaIdentity",
         (SELECT array_agg(a.attname::text ORDER BY a.attnum)
            FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
           WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate) AS "primaryKey",
         EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident AND i.indisvalid)
           AS "hasIdentityIndex"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
     AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'`;

type Row = Omit<CatalogTable, 'oid'> & { readonly oid: string };

/** Every table that could be captured, by schema and name. */
export async function listTables(client: ClientBase): Promise<readonly CatalogTable[]> {
  const { rows } = await client.query<Row>(`${tablesQuery} ORDER BY n.nspname, c.relname`);
  return rows.map(row => ({ ...row, oid: Number(row.oid) }));
}

/** The primary key of a table as it is now; null when the table has none or is gone. */
export async function primaryKeyOf(client: ClientBase, oid: number): Promise<readonly string[] | null> {
  const { rows } = await client.query<Row>(`${tablesQuery} AND c.oid = $1::int8::oid`, [oid]);
  return rows[0]?.primaryKey ?? null;
}
