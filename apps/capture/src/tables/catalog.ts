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
  readonly uniqueIndexes: readonly UniqueIndex[];
}

/** A unique index over columns that are never NULL and over nothing else, so that it names each row. */
export interface UniqueIndex {
  readonly name: string;
  readonly columns: readonly string[];
  /** It is the replica identity. */
  readonly isIdentity: boolean;
}

/** What the catalog says about the keys of a table. */
export type TableKeys = Pick<CatalogTable, 'primaryKey' | 'uniqueIndexes'>;

/** The unique indexes of a table `c` as JSON, as text, so that sessions of every kind read it alike. */
const uniqueIndexes = `
  (SELECT COALESCE(json_agg(json_build_object('name', n.relname, 'columns', k.columns, 'isIdentity', i.indisreplident)
                            ORDER BY n.relname), '[]')::text
     FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid
    CROSS JOIN LATERAL (
          SELECT array_agg(a.attname::text ORDER BY u.at) AS columns, bool_and(a.attnotnull) AS never_null
            FROM unnest(i.indkey) WITH ORDINALITY u (attnum, at)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum
           WHERE u.at <= i.indnkeyatts) k
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      AND k.never_null)`;

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
           AS "hasIdentityIndex",
         ${uniqueIndexes} AS "uniqueIndexes"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
     AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'`;

interface Row extends Omit<CatalogTable, 'oid' | 'uniqueIndexes'> {
  readonly oid: string;
  readonly uniqueIndexes: string;
}

/** Every table that could be captured, by schema and name. */
export async function listTables(client: ClientBase): Promise<readonly CatalogTable[]> {
  const { rows } = await client.query<Row>(`${tablesQuery} ORDER BY n.nspname, c.relname`);
  return rows.map(row => ({ ...row, oid: Number(row.oid), uniqueIndexes: readIndexes(row.uniqueIndexes) }));
}

/** The keys of a table as they are now; none when it has none or is gone. */
export async function keysOf(client: ClientBase, oid: number): Promise<TableKeys> {
  const { rows } = await client.query<Row>(`${tablesQuery} AND c.oid = $1::int8::oid`, [oid]);
  return {
    primaryKey: rows[0]?.primaryKey ?? null,
    uniqueIndexes: readIndexes(rows[0]?.uniqueIndexes),
  };
}

/** The unique indexes of a table as they are now. */
export async function uniqueIndexesOf(client: ClientBase, oid: number): Promise<readonly UniqueIndex[]> {
  const { rows } = await client.query<{ indexes: string }>(
    `SELECT ${uniqueIndexes} AS indexes FROM pg_class c WHERE c.oid = $1::int8::oid`,
    [oid],
  );
  return readIndexes(rows[0]?.indexes);
}

function readIndexes(json = '[]'): readonly UniqueIndex[] {
  return JSON.parse(json) as readonly UniqueIndex[];
}
