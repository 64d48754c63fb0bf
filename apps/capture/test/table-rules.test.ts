import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { decode } from '@tidemark/canal-json';
import type { TidemarkError } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import type { GivenConfig } from '../src/changefeed/replica-config.ts';
import { type CaptureBench, openCaptureBench, sinkUri } from './support/capture-bench.ts';

suite('rules of a changefeed', () => {
  let bench: CaptureBench;
  before(async () => {
    bench = await openCaptureBench({ watermarkMs: 50 });
    await bench.postgres.query(`
      CREATE TABLE t (id int PRIMARY KEY, region text, v text, password text, token_id int);
      ALTER TABLE t REPLICA IDENTITY FULL;
      CREATE TABLE u (id int PRIMARY KEY, v text);
      CREATE TABLE forms (id int PRIMARY KEY, v varchar(20), n numeric(10, 2), c char(5), b boolean, bits bit(3),
        at timestamptz(3), "on" timestamp, j json, note text);
      ALTER TABLE forms REPLICA IDENTITY FULL;
      CREATE TABLE sessions_by_token (token text PRIMARY KEY, secret_level int)`);
  });
  after(() => bench.close());
  /** Runs the statements with a changefeed of this configuration, until so many messages are there. */
  async function withFeed(
    config: GivenConfig,
    statements: readonly string[],
    count: number,
    check: () => void | Promise<void>,
    uri = sinkUri,
  ): Promise<void> {
    bench.topic.messages.length = 0;
    bench.topic.watermarks.length = 0;
    await bench.create(
      'ruled',
      ['sre_app.t', 'sre_app.u', 'sre_app.forms', 'sre_app.sessions_by_token'],
      config,
      uri,
    );
    try {
      for (const statement of statements) await bench.postgres.query(statement);
      await bench.received(count);
      await check();
    } finally {
      await bench.changefeeds.remove('ruled');
      await bench.postgres.query('TRUNCATE t, u, forms, sessions_by_token');
    }
  }
  const partitions = () => bench.topic.messages.map(({ partition }) => partition);
  const sum = (...groups: string[]) => groups.reduce((all, group) => (all ^ crc32(group)) >>> 0, 0) % 3;

  test('rows are placed by table, key, chosen columns or time, by the first rule that matches', async () => {
    const statements = [
      `INSERT INTO t VALUES (1, 'eu', 'a'), (2, 'eu', 'b'), (3, 'us', NULL)`,
      `INSERT INTO u VALUES (1, 'a')`,
    ];
    await withFeed({ sink: {} }, statements, 4, () => {
      assert.deepEqual(partitions(), [...Array.from({ length: 3 }, () => sum('sre_appt')), sum('sre_appu')]);
    });
    const dispatchers: NonNullable<GivenConfig['sink']>['dispatchers'] = [
      { matcher: ['sre_app.t'], partition: 'columns', columns: ['region', 'v'] },
      { matcher: ['*.*'], partition: 'index-value' },
    ];
    await withFeed({ sink: { dispatchers } }, statements, 4, () => {
      assert.deepEqual(partitions(), [
        sum('sre_appt', 'regioneu', 'va'),
        sum('sre_appt', 'regioneu', 'vb'),
        sum('sre_appt', 'regionus'),
        sum('sre_appu', 'id1'),
      ]);
    });
    const byTime = [{ matcher: ['*.*'], partition: 'ts' as const }];
    await withFeed({ sink: { dispatchers: byTime } }, statements, 4, () => {
      const expected = bench.topic.rows().map(({ commitTs }) => Number((commitTs ?? 0n) % 3n));
      assert.deepEqual(partitions(), expected);
    });
  });

  test('a dispatcher that cannot place every change of a row fails the changefeed with the remedy', async () => {
    const dispatchers = [{ matcher: ['*.*'], partition: 'columns' as const, columns: ['v'] }];
    await withFeed({ sink: { dispatchers } }, [`INSERT INTO u VALUES (1, 'a')`], 0, async () => {
      const message = await eventually('failed', () => {
        const status = bench.changefeeds.statuses().get('ruled');
        return status?.state === 'failed' && status.error?.message;
      });
      assert.match(message, /a delete does not tell column v.*REPLICA IDENTITY FULL/);
    });
  });

  test('in the content-compatible form types have their parameters, and old has what changed', async () => {
    const statements = [
      `INSERT INTO forms VALUES (1, 'a', 1.5, 'b', true, B'101', now(), now(), '{}', NULL)`,
      `UPDATE forms SET v = 'c', note = 'd'`,
      `UPDATE forms SET v = v`,
    ];
    await withFeed({ sink: { content_compatible: true } }, statements, 3, () => {
      const [inserted, updated, touched] = bench.topic.rows();
      assert.deepEqual(inserted?.mysqlTypes, {
        id: 'int(11)',
        v: 'varchar(20)',
        n: 'decimal(10,2)',
        c: 'char(5)',
        b: 'tinyint(1)',
        bits: 'bit(3)',
        at: 'timestamp(3)',
        on: 'datetime(6)',
        j: 'json',
        note: 'text',
      });
      assert.deepEqual(updated?.old, { v: 'a', note: null });
      assert.equal(Object.keys(updated?.data ?? {}).length, 10);
      assert.deepEqual(touched?.old, {});
    });
    await withFeed({ sink: { only_output_updated_columns: true } }, statements.slice(0, 2), 2, () => {
      const [, updated] = bench.topic.rows();
      assert.deepEqual(updated?.old, { v: 'a', note: null });
      assert.equal(updated?.mysqlTypes['v'], 'varchar');
    });
  });

  test('the sink URI asks for the forms of messages as well, and its false undoes nothing', async () => {
    const statements = [`INSERT INTO forms VALUES (1, 'a')`, `UPDATE forms SET v = 'c', note = 'd'`];
    for (const [config, parameter, type] of [
      [{}, 'content-compatible=true', 'varchar(20)'],
      [{}, 'only-output-updated-columns=true', 'varchar'],
      [{ content_compatible: true }, 'content-compatible=false', 'varchar(20)'],
      [{ only_output_updated_columns: true }, 'only-output-updated-columns=false', 'varchar'],
    ] as const) {
      const check = () => {
        const [, updated] = bench.topic.rows();
        assert.deepEqual(updated?.old, { v: 'a', note: null }, parameter);
        assert.equal(updated?.mysqlTypes['v'], type, parameter);
      };
      await withFeed({ sink: config }, statements, 2, check, `${sinkUri}&${parameter}`);
    }
  });

  test('columns that are not selected are absent everywhere', async () => {
    const selectors = [{ matcher: ['sre_app.t'], columns: ['*', '!region', '!token_id'] }];
    const statements = [`INSERT INTO t VALUES (1, 'eu', 'a', 'pw', 5)`, `UPDATE t SET v = 'b'`];
    await withFeed({ sink: { column_selectors: selectors } }, statements, 2, () => {
      const [, update] = bench.topic.rows();
      assert.deepEqual(update?.old, { id: '1', v: 'a', password: '***' });
      assert.deepEqual(update?.data, { id: '1', v: 'b', password: '***' });
      assert.deepEqual(Object.keys(update?.sqlTypes ?? {}), ['id', 'v', 'password']);
    });
  });

  test('a selector or a mask that takes the key away is refused with the remedy', async () => {
    const refused: readonly GivenConfig[] = [
      { sink: { column_selectors: [{ matcher: ['*.*'], columns: ['v'] }] } },
      { mask: [{ matcher: ['*.*'], columns: ['id'], mode: 'remove' }] },
    ];
    for (const config of refused) {
      await assert.rejects(bench.create('refused', ['sre_app.t'], config), (error: TidemarkError) => {
        assert.equal(error.code, 'TABLE_INELIGIBLE');
        assert.match(error.message, /sre_app\.t\.id, which identifies the row: .*give it the mode "hash"/);
        return true;
      });
    }
  });

  test('secrets are removed, masked or hashed, as a text', async () => {
    const mask: GivenConfig['mask'] = [
      { matcher: ['*.*'], columns: ['Password'], mode: 'remove' },
      { matcher: ['*.*'], columns: ['v'], mode: 'hash' },
      { matcher: ['*.*'], columns: ['token*'], mode: 'mask' },
    ];
    const statements = [
      `INSERT INTO t VALUES (1, 'eu', 'same', 'pw', 5)`,
      `INSERT INTO t VALUES (2, 'eu', 'same', 'pw', NULL)`,
      `INSERT INTO t VALUES (3, 'eu', 'other', 'pw', 6)`,
    ];
    await withFeed({ mask }, statements, 3, () => {
      const [first, second, third] = bench.topic.rows().map(({ data }) => data);
      assert.deepEqual(Object.keys(first ?? {}), ['id', 'region', 'v', 'token_id']);
      assert.deepEqual([first?.['token_id'], second?.['token_id']], ['***', null]);
      assert.match(first?.['v'] ?? '', /^[0-9a-f]{64}$/);
      assert.equal(first?.['v'], second?.['v']);
      assert.notEqual(first?.['v'], third?.['v']);
      // Without its key the hash cannot be found by trying values.
      assert.notEqual(first?.['v'], createHash('sha256').update('same').digest('hex'));
      assert.equal(bench.topic.rows()[0]?.mysqlTypes['token_id'], 'varchar');
    });
  });

  test('a secret key is hashed, so that rows can still be told apart', async () => {
    const statements = [
      `INSERT INTO sessions_by_token VALUES ('t1', 1), ('t2', 2)`,
      'DELETE FROM sessions_by_token',
    ];
    await withFeed({}, statements, 4, () => {
      const keys = bench.topic.rows().map(({ data }) => data['token'] ?? '');
      assert.equal(new Set(keys).size, 2);
      assert.deepEqual(keys.slice(0, 2).toSorted(), keys.slice(2).toSorted());
      assert.ok(keys.every(key => /^[0-9a-f]{64}$/.test(key)));
      assert.equal(bench.topic.rows()[0]?.data['secret_level'], '***');
    });
  });

  test('TRUNCATE arrives as a statement in its place', async () => {
    const statements = [`INSERT INTO u VALUES (1); TRUNCATE t, u; INSERT INTO u VALUES (2)`];
    await withFeed({}, statements, 4, () => {
      const messages = bench.topic.messages.map(({ value }) => decode(value));
      assert.deepEqual(
        messages.map(message => (message.kind === 'ddl' ? message.sql : 'type' in message && message.type)),
        ['INSERT', 'TRUNCATE TABLE `sre_app`.`t`', 'TRUNCATE TABLE `sre_app`.`u`', 'INSERT'],
      );
      assert.deepEqual(
        bench.topic.messages.map(({ changeId }) => changeId.split(':').at(-1)),
        ['0', '1', '2', '3'],
      );
      assert.deepEqual(partitions().slice(1, 3), [0, 0]);
    });
  });

  test('every partition is told by a watermark that all changes up to a commit were sent', async () => {
    await withFeed({}, [`INSERT INTO u VALUES (1)`, `INSERT INTO u VALUES (2)`], 2, async () => {
      const newest = bench.topic.rows().at(-1)?.commitTs;
      await eventually('the watermarks', () => {
        const reached = bench.topic.watermarks.filter(({ value }) => {
          const message = decode(value);
          return message.kind === 'watermark' && message.watermarkTs === newest;
        });
        return reached.length === 3 && new Set(reached.map(({ partition }) => partition)).size === 3;
      });
    });
  });
});
