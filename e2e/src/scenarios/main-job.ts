import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Change, pipelines, type User } from '@tidemark/contracts';
import { eventually } from '@tidemark/testkit';
import { comparePgbench, initialisePgbench, pgbenchTables, runPgbench } from '../pgbench.ts';
import { findProgram, run, runOk, skipWithout } from '../programs.ts';
import { storeFaults } from '../rebuild.ts';
import { ServerEvents } from '../server-events.ts';
import { type ApiClient, type Stack, signIn } from '../stack.ts';
import type { Scenario } from './scenario.ts';

/** What Tidemark is for: every kind of change goes in at the front and comes out at the far end, once and in order. */
export function mainJob({ title, start, skip = false }: Scenario): void {
  describe(title, { skip }, () => {
    let stack: Stack;
    let api: ApiClient;
    before(async () => {
      stack = await start();
      api = await signIn(stack);
    });
    after(() => stack?.stop());

    const changesOf = (table: string, key: string) => api.changes({ table, key });

    test('of a user added through the api, masked, in store, log and metrics', async () => {
      const user = await api.post<User>('/api/users', {
        email: 'added@example.com',
        password: 'correct horse',
      });
      const [change] = await eventually('the change is in the store', async () => {
        const found = await changesOf('users', String(user.id));
        return found.length > 0 && found;
      });
      assert.equal(change?.type, 'INSERT');
      assert.equal(change?.data?.['email'], 'added@example.com');
      assert.doesNotMatch(JSON.stringify(change), /\$2[aby]\$/, 'no password hash leaves the database');

      const line = await eventually('the change is in the log', async () =>
        (await stack.log('consumer'))
          .split('\n')
          .find(text => text.includes('"db_change"') && text.includes('added@example.com')),
      );
      const logged = JSON.parse(line) as Record<string, unknown>;
      assert.deepEqual(Object.keys(logged), ['timestamp', 'action', 'topic', 'payload']);
      assert.equal(logged['topic'], 'tidb_cdc');

      const metrics = await (await fetch(`${stack.http('consumer')}/metrics`)).text();
      assert.match(metrics, /^cdc_events_total\{table="users",op="insert"\} [1-9]/m);
    });

    test('of rows that psql writes', { skip: skipWithout('psql') }, async () => {
      const psql = (sql: string) => runOk(findProgram('psql') ?? '', [stack.databaseUrl, '-qAt', '-c', sql]);
      const id = (await psql(`INSERT INTO users (email) VALUES ('psql@example.com') RETURNING id`)).trim();
      await psql(`UPDATE users SET token = 'test-token-123' WHERE id = ${id}`);
      await psql(`UPDATE users SET email = 'psql2@example.com' WHERE id = ${id}`);
      await psql(`DELETE FROM users WHERE id = ${id}`);
      const found = await eventually('all four changes are in the store', async () => {
        const changes = await changesOf('users', id);
        return changes.length >= 4 && changes;
      });
      assert.deepEqual(
        found.map(({ type }) => type),
        ['INSERT', 'UPDATE', 'UPDATE', 'DELETE'],
      );
      assert.equal(found[2]?.old?.['email'], 'psql@example.com');
      assert.equal(found[2]?.data?.['email'], 'psql2@example.com');
      assert.doesNotMatch(JSON.stringify(found), /test-token-123/, 'tokens are masked');
      assert.doesNotMatch(await stack.log('consumer'), /test-token-123/);
    });

    test('of a review, which is an event first and a row after', async () => {
      const { reviewId } = await api.post<{ reviewId: string }>('/api/reviews', {
        rating: 5,
        text: 'end to end',
      });
      const change = await eventually(
        'the review is in the change store',
        async () => (await changesOf('reviews', reviewId))[0],
      );
      assert.equal(change.type, 'INSERT');
      assert.equal(change.data?.['rating'], '5');
      const reviews = await api.get<{ items: { reviewId: string; text: string }[] }>('/api/reviews?limit=10');
      assert.equal(reviews.items.find(review => review.reviewId === reviewId)?.text, 'end to end');
    });

    test('live, and without a gap over a reconnect', async () => {
      const token = await stack.query<{ id: number }>(
        `INSERT INTO users (email) VALUES ('live1@example.com') RETURNING id`,
      );
      await eventually(
        'the first is stored',
        async () => (await changesOf('users', String(token[0]?.id)))[0],
      );
      const url = `${stack.http('api')}/api/changes/stream?table=users`;
      const first = await ServerEvents.open(url, stack);
      await stack.query(`INSERT INTO users (email) VALUES ('live2@example.com')`);
      const seen = await first.next(
        event => event.type === 'change' && event.data.includes('live2@example.com'),
      );
      first.close();
      await stack.query(`INSERT INTO users (email) VALUES ('live3@example.com')`);
      await stack.query(`INSERT INTO users (email) VALUES ('live4@example.com')`);
      const second = await ServerEvents.open(url, stack, seen.id);
      const third = await second.next(event => event.type === 'change');
      const fourth = await second.next(event => event.type === 'change');
      second.close();
      assert.deepEqual(
        [third, fourth].map(event => (JSON.parse(event.data) as Change).data?.['email']),
        ['live3@example.com', 'live4@example.com'],
      );
    });

    test('of every row that pgbench commits, exactly once and in order per key', {
      skip: skipWithout('pgbench'),
    }, async t => {
      await initialisePgbench(stack);
      const result = await runPgbench(stack, { seconds: 8, clients: 4 });
      t.diagnostic(`pgbench: ${result.transactions} transactions, ${result.tps} a second`);
      const expected = result.transactions * 4; // TPC-B: three updates and one insert a transaction
      await eventually(
        `${expected} changes are in the store`,
        async () => {
          const [row] = await stack.query<{ stored: number }>(
            `SELECT count(*)::int AS stored FROM change_events WHERE table_name LIKE 'pgbench_%'`,
          );
          return (row?.stored ?? 0) >= expected;
        },
        { withinMs: 120_000, everyMs: 250 },
      );
      assert.deepEqual(await comparePgbench(stack), { differing: [], stored: expected });
      for (const table of pgbenchTables) {
        assert.deepEqual(await storeFaults(stack, table), { doubled: 0, out_of_order: 0 }, table);
      }
    });

    test('and the books balance', async () => {
      const metrics = await (await fetch(`${stack.http('consumer')}/metrics`)).text();
      const unaccounted = [...metrics.matchAll(/^pipeline_unaccounted_events\{[^}]*\} (\S+)$/gm)].map(
        match => match[1],
      );
      assert.equal(unaccounted.length, Object.keys(pipelines).length);
      assert.deepEqual(new Set(unaccounted), new Set(['0']));
    });

    test('and status says that all is well', async () => {
      const { code, stdout } = await run('./tidemark', ['status', '--data', stack.data], {});
      assert.equal(code, 0, stdout);
    });
  });
}
