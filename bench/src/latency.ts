import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@tidemark/kernel';
import { Client } from 'pg';
import { measureOk } from './commands.ts';
import { quantile, spread, writeResult } from './report.ts';

/**
 * Commit → visible in the change store, at a steady rate of single-row transactions. Both stamps are taken by the
 * same PostgreSQL: the commit by its commit record, the store by the row's own stamp just before it commits.
 */
const repository = fileURLToPath(new URL('../../', import.meta.url));
const portOffset = 21_000;
const ratesPerSec = [1, 100, 500];
const secondsPerRun = 10;
const runsPerRate = 3;

const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
await chmod(folder, 0o755);
const data = join(folder, 'data');
const tidemark = (...args: string[]) => measureOk('./tidemark', [...args, '--data', data], repository);
await tidemark('up', '--detach', '--port-offset', String(portOffset));
try {
  const client = new Client({
    connectionString: `postgres://tidemark:tidemark@127.0.0.1:${5433 + portOffset}/sre_app`,
  });
  await client.connect();
  const results = [];
  for (const rate of ratesPerSec) {
    const runs = [];
    for (let run = 0; run < runsPerRate; run += 1)
      runs.push(await oneRun(client, rate, `latency-${rate}-${run}`));
    results.push({
      ratePerSec: rate,
      changesPerRun: runs[0]?.changes,
      p50Ms: spread(runs.map(({ p50 }) => p50)),
      p99Ms: spread(runs.map(({ p99 }) => p99)),
      maxMs: spread(runs.map(({ max }) => max)),
    });
  }
  await client.end();
  const file = await writeResult('latency', 'node bench/src/latency.ts', { secondsPerRun, results });
  process.stdout.write(`${JSON.stringify(results, null, 2)}\n${file}\n`);
} finally {
  await tidemark('down');
  await tidemark('reset', '--yes');
  await rm(folder, { recursive: true, force: true });
}

async function oneRun(client: Client, rate: number, label: string) {
  const changes = rate * secondsPerRun;
  const begun = systemClock.monotonic();
  for (let sent = 0; sent < changes; sent += 1) {
    await client.query('INSERT INTO users (email) VALUES ($1)', [`${label}-${sent}@example.com`]);
    const due = begun + ((sent + 1) * 1000) / rate;
    if (due > systemClock.monotonic()) await systemClock.sleep(due - systemClock.monotonic());
  }
  const latencies = await whenAllStored(client, label, changes);
  return {
    changes,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    max: latencies.at(-1) ?? 0,
  };
}

async function whenAllStored(client: Client, label: string, changes: number): Promise<readonly number[]> {
  for (let look = 0; look < 600; look += 1) {
    const { rows } = await client.query<{ ms: number }>(
      `SELECT (extract(epoch FROM stored_at - committed_at) * 1000)::float8 AS ms FROM change_events
       WHERE table_name = 'users' AND data->>'email' LIKE $1 ORDER BY 1`,
      [`${label}-%`],
    );
    if (rows.length >= changes) return rows.map(({ ms }) => ms);
    await systemClock.sleep(100);
  }
  throw new Error(`not every change of ${label} was stored within a minute`);
}
