import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Row } from '@tidemark/canal-json';
import { seededRandom, systemClock } from '@tidemark/kernel';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { Client } from 'pg';
import { completeConfig } from '../src/changefeed/replica-config.ts';
import { openChangefeeds, sinkUri, streams } from './support/capture-bench.ts';
import { fileSink, readKept } from './support/file-topic.ts';
import { rebuiltTable, withoutRepeats } from './support/rebuilt-table.ts';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const kills = 3;

/** As the server does by itself, and with every change streamed before its transaction ends. */
const servers: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['kept until their commit', {}],
  ['streamed change by change', { debug_logical_replication_streaming: 'immediate' }],
];

for (const [how, settings] of servers) {
  suite(`kill -9 of capture, transactions ${how} (TEST_SEED=${seed})`, () => {
    let postgres: TestPostgres;
    let folder: string;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tidemark-kill-'));
      postgres = await startPostgres({ migrated: true, settings });
      await postgres.query(`
      CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL, note text);
      ALTER TABLE accounts REPLICA IDENTITY FULL;
      CREATE TABLE entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account int, delta int)`);
    });
    after(async () => {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test('nothing is skipped, and what is repeated is the same', { timeout: 180_000 }, async () => {
      const file = join(folder, 'topic');
      await createFeed(postgres, file);
      const random = seededRandom(seed);
      const working = new AbortController();
      const work = writeUntil(working.signal, postgres.url, random);
      try {
        for (let kill = 0; kill < kills; kill += 1) {
          const child = await startChild(postgres.url, file);
          await systemClock.sleep(100 + random() * 400);
          child.kill('SIGKILL');
          await once(child, 'exit');
        }
      } finally {
        working.abort();
      }
      await work;
      await finish(postgres, file);

      const all = readKept(file);
      const changes = withoutRepeats(all);
      for (const table of ['accounts', 'entries']) {
        const rows = await postgres.query<{ row: SourceRow }>(`SELECT to_jsonb(t) AS row FROM ${table} t`);
        const source = new Map(rows.map(({ row }) => [String(row['id']), textOf(row)]));
        assert.deepEqual(new Map(rebuiltTable(changes, table)), source, table);
      }
      const commits = changes.map(({ row }) => row.commitTs ?? 0n);
      assert.ok(commits.every((commitTs, index) => index === 0 || commitTs >= (commits[index - 1] ?? 0n)));
    });
  });
}

type SourceRow = Readonly<Record<string, string | number | null>>;

function textOf(row: SourceRow): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
  );
}

/** Creates the changefeed and stops it again: the children carry it on. */
async function createFeed(postgres: TestPostgres, file: string): Promise<void> {
  const opened = openChangefeeds(postgres.url, () => fileSink(file));
  await eventually('loaded', () => opened.changefeeds.isLoaded);
  const config = completeConfig({ filter: { rules: ['sre_app.accounts', 'sre_app.entries'] } });
  await opened.changefeeds.create({ id: 'killed', sinkUri, config });
  await streams(opened.changefeeds, 'killed');
  await opened.close();
}

async function startChild(url: string, file: string): Promise<ChildProcess> {
  const script = new URL('support/capture-child.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, url, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

/** Moves money between accounts, one transaction at a time, with rows added, removed and renumbered. */
async function writeUntil(signal: AbortSignal, url: string, random: () => number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`INSERT INTO accounts SELECT g, 0, 'n' || g FROM generate_series(1, 20) g`);
  while (!signal.aborted) {
    const id = 1 + Math.floor(random() * 20);
    const delta = Math.floor(random() * 100);
    await client.query('BEGIN');
    await client.query('UPDATE accounts SET balance = balance + $2 WHERE id = $1', [id, delta]);
    await client.query('INSERT INTO entries (account, delta) VALUES ($1, $2)', [id, delta]);
    if (random() < 0.1) await client.query('DELETE FROM entries WHERE id % 7 = $1', [id % 7]);
    if (random() < 0.1) await client.query('UPDATE accounts SET id = id + 1000 WHERE id = $1', [id]);
    if (random() < 0.1) await client.query('UPDATE accounts SET id = id - 1000 WHERE id = $1', [id + 1000]);
    await client.query(random() < 0.1 ? 'ROLLBACK' : 'COMMIT').catch(() => {});
  }
  await client.end();
}

/**
 * Lets a last capture catch up: a row written now is there when it has. Looking means reading the whole file in the
 * process that captures, so it looks seldom.
 */
async function finish(postgres: TestPostgres, file: string): Promise<void> {
  const opened = openChangefeeds(postgres.url, () => fileSink(file));
  await streams(opened.changefeeds, 'killed');
  await postgres.query(`INSERT INTO accounts VALUES (9999, 0, 'last')`);
  await eventually('the last row', () => readKept(file).some(({ row }) => row.data['note'] === 'last'), {
    withinMs: 90_000,
    everyMs: 500,
  });
  await opened.close();
}
