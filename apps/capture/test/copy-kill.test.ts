import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Row } from '@tidemark/canal-json';
import { seededRandom } from '@tidemark/kernel';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { Client } from 'pg';
import { completeConfig } from '../src/changefeed/replica-config.ts';
import { openChangefeeds, sinkUri, streams } from './support/capture-bench.ts';
import { fileSink, readKept } from './support/file-topic.ts';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const rows = 30_000;
const kills = 3;

suite(`kill -9 of capture while it copies a table that is written to (TEST_SEED=${seed})`, () => {
  let postgres: TestPostgres;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-copy-kill-'));
    postgres = await startPostgres({ migrated: true });
    await postgres.query(`
      CREATE TABLE stock (id int PRIMARY KEY, n int NOT NULL, v text);
      ALTER TABLE stock REPLICA IDENTITY FULL;
      INSERT INTO stock SELECT g, 0, repeat('x', 150) FROM generate_series(1, ${rows}) g`);
  });
  after(async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('goes on where it was, and misses no row and brings none back', { timeout: 180_000 }, async t => {
    const file = join(folder, 'topic');
    const random = seededRandom(seed);
    const working = new AbortController();
    const work = writeUntil(working.signal, postgres.url, random);
    try {
      await createFeed(postgres, file);
      for (let kill = 1; kill <= kills; kill += 1) await killAt(postgres.url, file, kill);
    } finally {
      working.abort();
    }
    await work;
    const copies = await finish(postgres, file);
    t.diagnostic(`${copies.rows} rows copied in ${copies.ranges?.length} ranges`);
    assert.ok((copies.ranges?.length ?? 0) > 1);

    const source = await postgres.query<Row>('SELECT id::text, n::text, v FROM stock');
    const expected = new Map(source.map(row => [row['id'] ?? '', { ...row }]));
    assert.deepEqual(rebuilt(file), expected);
  });
});

/** Creates the changefeed, lets it begin its copy, and stops it: the children carry it on. */
async function createFeed(postgres: TestPostgres, file: string): Promise<void> {
  const opened = openChangefeeds(postgres.url, () => fileSink(file));
  await eventually('loaded', () => opened.changefeeds.isLoaded);
  const config = completeConfig({ filter: { rules: ['sre_app.stock'] }, initial_copy: true });
  await opened.changefeeds.create({ id: 'copied', sinkUri, config });
  await eventually('the copy has begun', () => sizeOf(file) > 0);
  await opened.close();
}

const sizeOf = (file: string) => (existsSync(file) ? statSync(file).size : 0);

/** Kills a capture once it has sent something more. */
async function killAt(url: string, file: string, kill: number): Promise<void> {
  const script = new URL('support/capture-child.ts', import.meta.url).pathname;
  const before = sizeOf(file);
  const child = spawn(process.execPath, [script, url, file, 'copied'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await eventually('it has sent more', () => sizeOf(file) > before + kill * 200_000, {
    withinMs: 60_000,
    everyMs: 5,
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function writeUntil(signal: AbortSignal, url: string, random: () => number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  while (!signal.aborted) {
    const id = 1 + Math.floor(random() * rows);
    const dice = random();
    if (dice < 0.1) await client.query('DELETE FROM stock WHERE id = $1', [id]);
    else if (dice < 0.2)
      await client.query(`INSERT INTO stock VALUES ($1, 1, 'new') ON CONFLICT DO NOTHING`, [id]);
    else if (dice < 0.25) {
      await client.query(
        'UPDATE stock SET id = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM stock WHERE id = $2)',
        [id, 1 + Math.floor(random() * rows)],
      );
    } else await client.query('UPDATE stock SET n = n + 1 WHERE id BETWEEN $1 AND $1 + 5', [id]);
  }
  await client.end();
}

/** Lets a last capture end the copy and catch up; answers how the copy went. */
async function finish(postgres: TestPostgres, file: string) {
  const opened = openChangefeeds(postgres.url, () => fileSink(file));
  try {
    await streams(opened.changefeeds, 'copied');
    const copy = await eventually(
      'the copy is done',
      async () => (await opened.changefeeds.get('copied')).copies.find(({ isDone }) => isDone),
      { withinMs: 60_000 },
    );
    await postgres.query(`INSERT INTO stock VALUES (-1, 0, 'last')`);
    await eventually('the last row', () => readKept(file).some(({ row }) => row.data['v'] === 'last'), {
      withinMs: 60_000,
      everyMs: 500,
    });
    return copy;
  } finally {
    await opened.close();
  }
}

/** What a consumer has that takes whatever comes, in its order; a repeat is taken again. */
function rebuilt(file: string): ReadonlyMap<string, Row> {
  const kept = new Map<string, Row>();
  for (const { row } of readKept(file)) {
    const id = row.data['id'] ?? '';
    if (row.type === 'DELETE') kept.delete(id);
    else kept.set(id, row.data);
  }
  return kept;
}
