import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type RunningBroker, startBroker } from '@tidemark/broker';
import { seededRandom } from '@tidemark/kernel';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

suite(`secrets of every table (TEST_SEED=${seed})`, () => {
  const random = seededRandom(seed);
  const secrets: string[] = [];
  /** A text that stands nowhere else, kept in mind. */
  const secret = () => {
    const text = `s${Math.floor(random() * 1e12).toString(36)}x${Math.floor(random() * 1e12).toString(36)}`;
    secrets.push(text);
    return text;
  };
  let postgres: TestPostgres;
  let folder: string;
  let broker: RunningBroker;
  let capture: ChildProcess;
  let said = '';
  let base = '';

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-secrets-'));
    postgres = await startPostgres({ migrated: true, settings: { logical_decoding_work_mem: '64kB' } });
    await postgres.query(readFileSync(new URL('../sql/log-ddl.sql', import.meta.url), 'utf8'));
    broker = await startBroker({ dataDir: join(folder, 'broker') });
    const address = `127.0.0.1:${await freePort()}`;
    base = `http://${address}`;
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    capture = spawn(process.execPath, [main], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: postgres.url,
        KAFKA_BROKERS: broker.address,
        CAPTURE_ADDR: address,
        CAPTURE_DATA_DIR: join(folder, 'capture'),
        CAPTURE_DEFAULT_CHANGEFEED: 'false',
        LOG_LEVEL: 'trace',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [capture.stdout, capture.stderr]) {
      stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    }
    await eventually('ready', async () => (await fetch(`${base}/readyz`)).ok, { withinMs: 30_000 });
  });
  after(async () => {
    const gone = once(capture, 'exit');
    capture.kill('SIGTERM');
    await gone;
    await broker.stop();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function create(id: string, rules: readonly string[], config: object): Promise<void> {
    const answer = await fetch(`${base}/api/v2/changefeeds`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        changefeed_id: id,
        sink_uri: `kafka://${broker.address}/${id}?protocol=canal-json&enable-tidb-extension=true&partition-num=3`,
        replica_config: { filter: { rules }, initial_copy: true, ...config },
      }),
    });
    assert.equal(answer.status, 200, await answer.text());
  }

  /** Everything that lies on the broker's disk. */
  function brokerBytes(): string {
    const files = readdirSync(join(folder, 'broker'), { recursive: true, withFileTypes: true });
    return files
      .filter(file => file.isFile())
      .map(file => readFileSync(join(file.parentPath, file.name), 'latin1'))
      .join('');
  }

  test('stand in no topic, log line, stored changefeed or answer, however they were written', async () => {
    await postgres.query(`
      CREATE TABLE people (id int PRIMARY KEY, "Password" text, token_hash bytea, secret_json jsonb, note text);
      ALTER TABLE people REPLICA IDENTITY FULL;
      CREATE TABLE tokens (token text PRIMARY KEY, secret_level text, note text);
      CREATE TABLE custom (id int PRIMARY KEY, pin text, iban text, phone text);
      INSERT INTO people VALUES (1, '${secret()}', '${secret()}', '{"k": "${secret()}"}', 'before');
      INSERT INTO tokens VALUES ('${secret()}', '${secret()}', 'before')`);
    await create('defaults', ['sre_app.people', 'sre_app.tokens'], {
      sink: { dispatchers: [{ matcher: ['*.*'], partition: 'index-value' }] },
    });
    const mask = (['pin', 'iban', 'phone'] as const).map((column, at) => ({
      matcher: ['sre_app.custom'],
      columns: [column],
      mode: ['remove', 'mask', 'hash'][at],
    }));
    await create('custom', ['sre_app.custom'], { mask });
    const statements = [
      `INSERT INTO people VALUES (2, '${secret()}', '${secret()}', '["${secret()}"]', 'new')`,
      `UPDATE people SET "Password" = '${secret()}', secret_json = '"${secret()}"'`,
      `UPDATE people SET id = 3 WHERE id = 2; DELETE FROM people WHERE id = 3`,
      `UPDATE tokens SET token = '${secret()}'; DELETE FROM tokens; INSERT INTO tokens VALUES ('${secret()}', '${secret()}')`,
      `ALTER TABLE people ADD COLUMN secret_answer text DEFAULT '${secret()}'`,
      `ALTER TABLE people ADD COLUMN other int; INSERT INTO people (id, "Password") VALUES (9, '${secret()}')`,
      `BEGIN; INSERT INTO people (id, "Password") SELECT g, '${secret()}' || g FROM generate_series(100, 3000) g; COMMIT`,
      `INSERT INTO custom VALUES (1, '${secret()}', '${secret()}', '${secret()}')`,
      `UPDATE custom SET pin = '${secret()}', iban = '${secret()}', phone = '${secret()}'`,
      `INSERT INTO people (id, note) VALUES (99999, 'the last row'); INSERT INTO custom (id, phone) VALUES (99999, 'x')`,
    ];
    for (const statement of statements) await postgres.query(statement);
    await eventually(
      'everything is in the topics',
      () => {
        const bytes = brokerBytes();
        return bytes.includes('the last row') && bytes.split('"99999"').length > 2;
      },
      { withinMs: 30_000, everyMs: 100 },
    );
    const stored = JSON.stringify(await postgres.query('SELECT * FROM changefeeds'));
    const answers = await Promise.all(
      ['/api/v2/changefeeds/defaults', '/api/v2/changefeeds/custom', '/metrics'].map(async path =>
        (await fetch(base + path)).text(),
      ),
    );
    const places = { topics: brokerBytes(), log: said, stored, answers: answers.join('') };
    assert.match(places.topics, /\*\*\*/);
    for (const [place, text] of Object.entries(places)) {
      const found = secrets.filter(
        each => text.includes(each) || text.includes(Buffer.from(each).toString('hex')),
      );
      assert.deepEqual(found, [], place);
    }
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  await once(probe.close(), 'close');
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
