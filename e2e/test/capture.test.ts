import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { runOk, skipWithout } from '../src/programs.ts';
import { type ApiClient, type Stack, signIn, startStack } from '../src/stack.ts';
import { everyMessage } from '../src/topic-reader.ts';

describe('capture as people use it', () => {
  let shop: TestPostgres;
  let stack: Stack;
  let api: ApiClient;
  before(async () => {
    shop = await startPostgres({ database: 'shop' });
    await shop.query(`
      CREATE TABLE orders (id int PRIMARY KEY, note text, token_of_payment text);
      CREATE TABLE nokey (a int)`);
    stack = await startStack({ args: ['--source', shop.url] });
    api = await signIn(stack);
  });
  after(async () => {
    await stack?.stop();
    await shop?.stop();
  });

  const changefeed = (...args: string[]) => stack.tidemark('changefeed', ...args);
  const stateOf = async (id: string) =>
    (JSON.parse(await changefeed('get', id, '--json')) as { state: string }).state;
  const sourceFeed = async () => {
    const { items } = JSON.parse(await changefeed('list', '--json')) as { items: { id: string }[] };
    return items.find(({ id }) => id.startsWith('source-shop-'))?.id ?? '';
  };

  test('tidemark up --source captures a database of the user’s own, and takes nothing but a slot', async () => {
    await shop.query(`INSERT INTO orders VALUES (1, 'from my own database', 'tok_never_1')`);
    const change = await eventually(
      'the change is in the store',
      async () => (await api.changes({ table: 'orders', key: '1' }))[0],
    );
    assert.equal(change.data?.['note'], 'from my own database');
    const left = await shop.query<{ relname: string }>(
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`,
    );
    assert.deepEqual(
      left.map(({ relname }) => relname),
      ['nokey', 'orders'],
    );
    assert.match(await stack.log('capture'), /\\"nokey\\" has no primary key: add one/);
  });

  test('tidemark changefeed works with capture', async () => {
    const id = await sourceFeed();
    assert.match(await changefeed('list'), new RegExp(`${id} +normal`));
    const shown = await changefeed('get', id);
    assert.match(shown, /source +postgres:\/\/tidemark:xxxxx@127\.0\.0\.1:\d+\/shop\n/);
    await changefeed('pause', id);
    assert.equal(await stateOf(id), 'stopped');
    await changefeed('update', id, '--rules', 'shop.orders');
    assert.match(await changefeed('get', id), /tables +shop\.orders\n/);
    await changefeed('resume', id);
    await eventually('normal', async () => (await stateOf(id)) === 'normal');
    await changefeed('status', id);
    const sink = `kafka://${stack.brokers}/made-by-hand?protocol=canal-json`;
    const made = ['made-by-hand', '--sink-uri', sink, '--source-uri', shop.url, '--rules', 'shop.orders'];
    await changefeed('create', ...made);
    await eventually('normal', async () => (await stateOf('made-by-hand')) === 'normal');
    await assert.rejects(changefeed('create', ...made), /exists already \(CDC:ErrChangeFeedAlreadyExists\)/);
    await changefeed('remove', 'made-by-hand');
    await changefeed('remove', id);
    assert.deepEqual(await shop.query('SELECT slot_name FROM pg_replication_slots'), []);
    assert.deepEqual(await shop.query('SELECT pubname FROM pg_publication'), []);
  });

  test('the recipes that are written for TiCDC run as they stand', {
    skip: skipWithout('curl', 'jq'),
  }, async () => {
    const recipe = async (text: string) =>
      runOk('/bin/sh', [
        '-c',
        text
          .replaceAll(/http:\/\/(?:ticdc|localhost):8300/g, stack.http('capture'))
          .replaceAll('kafka:9092', stack.brokers),
      ]);
    await recipe(`curl -s -f -X POST http://ticdc:8300/api/v1/changefeeds -H 'Content-Type: application/json' -d '{
      "changefeed_id": "cf-kafka",
      "sink_uri": "kafka://kafka:9092/tidb-cdc?protocol=canal-json",
      "start_ts": 0
    }'`);
    const feed = await eventually('cf-kafka is normal', async () => {
      const answer = await recipe(
        `curl -s http://localhost:8300/api/v1/changefeeds | jq '.[0] | {id, state, checkpoint_time}'`,
      );
      const found = JSON.parse(answer) as { id: string; state: string; checkpoint_time: string };
      return found.state === 'normal' && found;
    });
    assert.equal(feed.id, 'cf-kafka');
    assert.match(feed.checkpoint_time, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    assert.match(await recipe('curl -s http://localhost:8300/api/v1/changefeeds'), /"state":"normal"/);
    await stack.query(
      `INSERT INTO users (email, password_hash) VALUES ('user1@example.com', 'test123') ON CONFLICT DO NOTHING`,
    );
    const messages = await eventually('the change is in the topic', async () => {
      const texts = (await everyMessage(stack.brokers, 'tidb-cdc')).map(({ text }) => text);
      return texts.some(text => text.includes('user1@example.com')) && texts;
    });
    const message = JSON.parse(messages.find(text => text.includes('user1@example.com')) ?? '') as {
      isDdl: boolean;
      type: string;
      database: string;
      table: string;
      data: Record<string, string>[];
    };
    assert.deepEqual(
      [message.isDdl, message.type, message.database, message.table],
      [false, 'INSERT', 'sre_app', 'users'],
    );
    await changefeed('remove', 'cf-kafka');
  });

  test('secrets that are written to tables are nowhere else', async () => {
    const secrets = Array.from({ length: 6 }, (_, index) => `s3cret-${process.pid}-${index}-${Date.now()}`);
    const [first = '', second = '', third = '', fourth = '', fifth = '', inUrl = ''] = secrets;
    await stack.query(
      `INSERT INTO users (email, password_hash, token) VALUES ('secret@example.com', $1, $2)`,
      [first, second],
    );
    await stack.query(
      `CREATE TABLE vault (password text PRIMARY KEY, secret_note text DEFAULT 'x', token jsonb)`,
    );
    await stack.query('ALTER TABLE vault REPLICA IDENTITY FULL');
    const sink = `kafka://${stack.brokers}/vaults?protocol=canal-json`;
    await changefeed('create', 'vaults', '--sink-uri', sink, '--rules', 'sre_app.vault,sre_app.users');
    await stack.query('INSERT INTO vault VALUES ($1, $2, $3)', [
      third,
      fourth,
      JSON.stringify({ deep: fifth }),
    ]);
    await stack.query(`UPDATE vault SET secret_note = secret_note || '!', password = password || '!'`);
    await stack.query('DELETE FROM vault');
    await stack.query(`UPDATE users SET token = token || '!' WHERE email = 'secret@example.com'`);
    await eventually('every change has come', async () => {
      const texts = (await everyMessage(stack.brokers, 'vaults')).map(({ text }) => text);
      return (
        texts.filter(text => text.includes('"vault"')).length >= 4 &&
        texts.some(text => text.includes('secret@'))
      );
    });
    const changes = await eventually('the change store has them', async () => {
      const found = await stack.query<{ text: string }>(
        'SELECT to_jsonb(c)::text AS text FROM change_events c',
      );
      return found.filter(({ text }) => text.includes('secret@')).length >= 2 && found;
    });
    // Errors about a source with a password, and about a row that cannot be read.
    const gone = `postgres://someone:${inUrl}@127.0.0.1:1/gone`;
    const said = await changefeed('create', 'gone', '--sink-uri', sink, '--source-uri', gone).catch(
      (error: unknown) => (error instanceof Error ? error.message.split('ended with')[1] : ''),
    );
    assert.match(said ?? '', /cannot sign in to database gone at 127\.0\.0\.1:1 as someone/);

    const places = new Map<string, string>([
      ['change store', changes.map(({ text }) => text).join('\n')],
      ['error', said ?? ''],
      ['table of changefeeds', JSON.stringify(await stack.query('SELECT * FROM changefeeds'))],
      ['list', await changefeed('list', '--json')],
      ['get', await changefeed('get', 'vaults', '--json')],
      ['api', JSON.stringify(await api.changes({}))],
      ['metrics', await (await fetch(`${stack.http('capture')}/metrics`)).text()],
    ]);
    for (const topic of ['vaults', 'tidb_cdc', 'events.main', 'events.dlq']) {
      const messages = await everyMessage(stack.brokers, topic).catch(() => []);
      places.set(topic, messages.map(({ text, headers }) => text + headers).join('\n'));
    }
    for (const name of await readdir(join(stack.data, 'logs'))) {
      places.set(name, await readFile(join(stack.data, 'logs', name), 'utf8'));
    }
    const [, shopPassword = ''] = /:\/\/[^:]+:([^@]+)@/.exec(shop.url) ?? [];
    assert.ok(shopPassword.length > 0);
    for (const [place, text] of places) {
      for (const secret of secrets) assert.ok(!text.includes(secret), `${place} holds a secret`);
      assert.ok(!text.includes('tok_never_1'), `${place} holds a token of the source`);
      assert.ok(
        !text.includes(`tidemark:${shopPassword}@127.0.0.1:${shop.port}`),
        `${place} holds the source's URL`,
      );
    }
    assert.ok((places.get('vaults') ?? '').includes('"***"'), 'the columns are there, masked');
  });
});
