import { TidemarkError } from '@tidemark/kernel';
import { Client, escapeIdentifier } from 'pg';
import { outputSettings } from '../protocol/output-settings.ts';
import type { Relation, ReplicaIdentity } from '../protocol/pgoutput.ts';
import { TupleView, tupleBytes } from '../protocol/tuple.ts';
import { type TableKeys, uniqueIndexesOf } from '../tables/catalog.ts';
import type { TableShape } from '../tables/table-shape.ts';
import { type CopiedRow, keyText } from './copy-window.ts';
import { cutAt, rangeCount, samplePages } from './key-ranges.ts';
import type { KeyRange } from './table-copy.ts';
import { parseSnapshot, type Visibility } from './visibility.ts';

/** A table with what the stream would have said about it. */
export interface DescribedTable extends TableKeys {
  readonly relation: Relation;
  /** Names of the base types of columns, by type number. */
  readonly typeNames: ReadonlyMap<number, string>;
  /** SQL types of the columns, for comparing with the text of a key. */
  readonly sqlTypes: readonly string[];
}

export interface ReadChunk {
  readonly rows: readonly CopiedRow[];
  readonly visibility: Visibility;
  /** Key of the last row; null when there was none. */
  readonly last: readonly string[] | null;
  readonly bytes: number;
}

interface ColumnRow {
  oid: string;
  identity: ReplicaIdentity;
  name: string;
  type_oid: string;
  modifier: number;
  base_type: string;
  sql_type: string;
  in_primary_key: boolean;
  in_identity: boolean;
}

/**
 * Columns as logical replication publishes them: dropped ones are gone, virtual generated ones are never sent, stored
 * ones are from PostgreSQL 18 on.
 */
const columnsQuery = `
  SELECT c.oid::int8 AS oid, c.relreplident AS identity, a.attname AS name, a.atttypid::int8 AS type_oid,
         a.atttypmod AS modifier, format_type(a.atttypid, a.atttypmod) AS sql_type,
         (SELECT b.typname FROM pg_type b WHERE b.oid = COALESCE(NULLIF(t.typbasetype, 0), t.oid)) AS base_type,
         EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate
                    AND a.attnum = ANY (i.indkey)) AS in_primary_key,
         EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey)
                    AND CASE c.relreplident WHEN 'i' THEN i.indisreplident
                                            ELSE i.indisprimary AND i.indimmediate END) AS in_identity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
   WHERE n.nspname = $1 AND c.relname = $2
     AND (a.attgenerated = '' OR a.attgenerated = 's' AND current_setting('server_version_num')::int4 >= 180000)
   ORDER BY a.attnum`;

const snapshotQuery = 'SELECT pg_current_snapshot()::text AS snapshot';

/** Reads tables in chunks, in sessions whose output is that of the stream, byte for byte. */
export class ChunkReader {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(url: string, applicationName: string): Promise<ChunkReader> {
    const client = new Client({
      connectionString: url,
      application_name: applicationName,
      options: outputSettings,
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      // The text as the server writes it; parsing it only to write it again would lose digits.
      types: { getTypeParser: () => (value: unknown) => value },
    });
    client.on('error', () => {}); // the statement under way rejects
    await client.connect();
    return new ChunkReader(client);
  }

  close(): Promise<void> {
    return this.#client.end().catch(() => {});
  }

  /** Describes a table as the stream would; undefined when it is gone. */
  async describe(schema: string, name: string): Promise<DescribedTable | undefined> {
    const { rows } = await this.#client.query<Record<keyof ColumnRow, string>>(columnsQuery, [schema, name]);
    const [first] = rows;
    if (first === undefined) return undefined;
    const replicaIdentity = first.identity as ReplicaIdentity;
    const isFull = replicaIdentity === 'f';
    const primaryKey = rows.filter(row => row.in_primary_key === 't').map(row => row.name);
    return {
      relation: {
        oid: Number(first.oid),
        schema,
        name,
        replicaIdentity,
        columns: rows.map(row => ({
          name: row.name,
          isKey: isFull || row.in_identity === 't',
          typeOid: Number(row.type_oid),
          typeModifier: Number(row.modifier),
        })),
      },
      primaryKey: primaryKey.length === 0 ? null : primaryKey,
      uniqueIndexes: await uniqueIndexesOf(this.#client, Number(first.oid)),
      typeNames: new Map(rows.map(row => [Number(row.type_oid), row.base_type])),
      sqlTypes: rows.map(row => row.sql_type),
    };
  }

  /** What a statement sees now. */
  async visibility(): Promise<Visibility> {
    const { rows } = await this.#client.query<{ snapshot: string }>(snapshotQuery);
    return parseSnapshot(rows[0]?.snapshot ?? '');
  }

  /** Ranges of the key that hold about as many rows each, in the order of the key. */
  async ranges(table: DescribedTable, shape: TableShape): Promise<readonly KeyRange[]> {
    const { rows } = await this.#client.query<{ bytes: string; pages: string }>(sizeQuery, [
      table.relation.oid,
    ]);
    const count = rangeCount(Number(rows[0]?.bytes ?? 0));
    if (count === 1) return cutAt([], 1);
    const percent = Math.min(100, (100 * samplePages) / Number(rows[0]?.pages ?? 1));
    const sample = await this.#client.query<string[]>({
      text: sampleStatement(table, shape, percent),
      rowMode: 'array',
    });
    return cutAt(sample.rows, count);
  }

  /** The next rows of a range, in the order of the key, with what the statement saw. */
  async read(
    table: DescribedTable,
    shape: TableShape,
    range: Pick<KeyRange, 'after' | 'until'>,
    limit: number,
  ): Promise<ReadChunk> {
    const client = this.#client;
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    try {
      const visibility = await this.visibility();
      const { rows } = await client.query<(string | null)[]>({
        text: chunkStatement(table, shape, range, limit),
        values: [...(range.after ?? []), ...(range.until ?? [])],
        rowMode: 'array',
      });
      await client.query('COMMIT');
      return toChunk(shape, rows, visibility);
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    }
  }

  /** The columns of one row as text, in the order of the relation; undefined when there is none with the key. */
  async row(
    relation: Relation,
    key: readonly { readonly name: string; readonly value: string }[],
  ): Promise<readonly (string | null)[] | undefined> {
    const columns = relation.columns.map(column => escapeIdentifier(column.name));
    const conditions = key.map(({ name }, at) => `${escapeIdentifier(name)} = $${at + 1}`);
    const { rows } = await this.#client.query<(string | null)[]>({
      text: `SELECT ${columns.join(', ')} FROM ${tableName({ relation })} WHERE ${conditions.join(' AND ')}`,
      values: key.map(({ value }) => value),
      rowMode: 'array',
    });
    return rows[0];
  }

  /** Writes a mark into the log, in a transaction of its own. */
  async mark(prefix: string, token: string): Promise<void> {
    await this.#client.query('SELECT pg_logical_emit_message(true, $1, $2)', [prefix, token]);
  }
}

/** Partitions count with their table; a table without partitions is no tree. */
const sizeQuery = `
  SELECT bytes::int8, greatest(1, bytes / current_setting('block_size')::int8)::int8 AS pages
    FROM (SELECT COALESCE((SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree($1::int8::oid::regclass)),
                          pg_relation_size($1::int8::oid)) AS bytes) measured`;

function sampleStatement(table: DescribedTable, shape: TableShape, percent: number): string {
  const keys = keyList(table, shape);
  return `SELECT ${keys} FROM ${tableName(table)} TABLESAMPLE SYSTEM (${percent}) ORDER BY ${keys}`;
}

function chunkStatement(
  table: DescribedTable,
  shape: TableShape,
  { after, until }: Pick<KeyRange, 'after' | 'until'>,
  limit: number,
): string {
  const names = table.relation.columns.map(column => escapeIdentifier(column.name));
  const keys = keyList(table, shape);
  const bounds = (from: number) =>
    shape.keyColumns.map((column, at) => `$${from + at}::text::${table.sqlTypes[column] ?? 'text'}`).join();
  const conditions = [
    ...(after === null ? [] : [`(${keys}) > (${bounds(1)})`]),
    ...(until === null ? [] : [`(${keys}) <= (${bounds((after?.length ?? 0) + 1)})`]),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return `SELECT ${names.join(', ')} FROM ${tableName(table)} ${where} ORDER BY ${keys} LIMIT ${limit}`;
}

function tableName({ relation }: Pick<DescribedTable, 'relation'>): string {
  return `${escapeIdentifier(relation.schema)}.${escapeIdentifier(relation.name)}`;
}

function keyList({ relation }: DescribedTable, shape: TableShape): string {
  const names = shape.keyColumns.map(column => escapeIdentifier(relation.columns[column]?.name ?? ''));
  if (names.length > 0) return names.join(', ');
  throw new TidemarkError('COPY_IMPOSSIBLE', `${relation.schema}.${relation.name} has no key to copy it by`);
}

function toChunk(
  shape: TableShape,
  rows: readonly (readonly (string | null)[])[],
  visibility: Visibility,
): ReadChunk {
  let bytes = 0;
  const copied = rows.map(values => {
    const packed = tupleBytes(values);
    bytes += packed.length;
    const tuple = new TupleView();
    tuple.read(packed, 0);
    return { key: keyText(shape, tuple), tuple };
  });
  const last = rows.at(-1);
  return {
    rows: copied,
    visibility,
    bytes,
    last: last === undefined ? null : shape.keyColumns.map(column => last[column] ?? ''),
  };
}
