import { createFeed } from './changefeed.ts';
import { findProgram, runOk } from './programs.ts';
import { rebuildTable } from './rebuild.ts';
import type { Stack } from './stack.ts';

export const pgbenchTables = [
  'pgbench_accounts',
  'pgbench_branches',
  'pgbench_tellers',
  'pgbench_history',
] as const;

/** Environment of libpq programs for the stack's database. */
function libpq(stack: Stack): Record<string, string> {
  const url = new URL(stack.databaseUrl);
  return {
    PGHOST: url.hostname,
    PGPORT: url.port,
    PGUSER: url.username,
    PGPASSWORD: url.password,
    PGDATABASE: url.pathname.slice(1),
  };
}

const pgbench = (stack: Stack, ...args: string[]) =>
  runOk(findProgram('pgbench') ?? 'pgbench', args, { env: libpq(stack), withinMs: 180_000 });

/** Creates the TPC-B tables at scale 1 (100,000 accounts, 10 tellers, 1 branch, all balances 0) and a feed over them. */
export async function initialisePgbench(stack: Stack): Promise<void> {
  await pgbench(stack, '--initialize', '--quiet', '--scale=1');
  // History has no primary key; with the whole row as identity its changes can be captured.
  await stack.query('ALTER TABLE pgbench_history REPLICA IDENTITY FULL');
  await createFeed(stack, 'pgbench', ['sre_app.pgbench_*']);
}

export interface PgbenchResult {
  readonly transactions: number;
  readonly tps: number;
}

export async function runPgbench(
  stack: Stack,
  { seconds, clients }: { readonly seconds: number; readonly clients: number },
): Promise<PgbenchResult> {
  const output = await pgbench(stack, `--time=${seconds}`, `--client=${clients}`, '--jobs=1', '--no-vacuum');
  return readResult(output);
}

export function readResult(output: string): PgbenchResult {
  const transactions = Number(/number of transactions actually processed: (\d+)/.exec(output)?.[1]);
  const tps = Number(/tps = ([\d.]+) \(without/.exec(output)?.[1]);
  if (!Number.isInteger(transactions))
    throw new Error(`pgbench said nothing of its transactions:\n${output}`);
  return { transactions, tps };
}

/**
 * Compares the balances that the change store tells with those of the database, and counts the stored changes.
 * Rows that never changed are 0 in the database and absent in the store.
 */
export async function comparePgbench(stack: Stack): Promise<{ differing: string[]; stored: number }> {
  const differing: string[] = [];
  const balances = [
    ['pgbench_accounts', 'aid', 'abalance'],
    ['pgbench_tellers', 'tid', 'tbalance'],
    ['pgbench_branches', 'bid', 'bbalance'],
  ] as const;
  for (const [table, key, balance] of balances) {
    const told = await rebuildTable(stack, table);
    const rows = await stack.query<{ key: string; balance: string }>(
      `SELECT ${key}::text AS key, ${balance}::text AS balance FROM ${table}`,
    );
    for (const row of rows) {
      const said = told.get(row.key)?.[balance] ?? '0';
      if (said !== row.balance) differing.push(`${table} ${row.key}: database ${row.balance}, store ${said}`);
    }
  }
  const [history] = await stack.query<{ database: string; store: string }>(
    `SELECT (SELECT coalesce(sum(delta), 0) || '/' || count(*) FROM pgbench_history) AS database,
            (SELECT coalesce(sum((data->>'delta')::bigint), 0) || '/' || count(*) FROM change_events
              WHERE table_name = 'pgbench_history') AS store`,
  );
  if (history?.database !== history?.store) {
    differing.push(`pgbench_history: database ${history?.database}, store ${history?.store}`);
  }
  const [count] = await stack.query<{ stored: number }>(
    `SELECT count(*)::int AS stored FROM change_events WHERE table_name LIKE 'pgbench_%'`,
  );
  return { differing, stored: count?.stored ?? 0 };
}
