import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { TidemarkError } from '@tidemark/kernel';
import { startPostgres } from '@tidemark/testkit';
import { completeConfig } from '../src/changefeed/replica-config.ts';
import { type CaptureBench, openCaptureBench, sinkUri, streams } from './support/capture-bench.ts';

suite('the preflight', () => {
  let bench: CaptureBench;
  before(async () => {
    bench = await openCaptureBench();
    await bench.postgres.query(`
      CREATE ROLE weak LOGIN PASSWORD 'weak';
      CREATE ROLE keeper;
      CREATE SCHEMA shop;
      CREATE TABLE shop.orders (id int PRIMARY KEY);
      CREATE TABLE shop.logs (at timestamptz);
      ALTER TABLE shop.orders OWNER TO keeper;
      ALTER TABLE shop.logs OWNER TO keeper;
      REVOKE CREATE ON DATABASE sre_app FROM PUBLIC`);
  });
  after(() => bench.close());

  const create = (sourceUri: string, rules: readonly string[]) =>
    bench.changefeeds.create({
      id: 'checked',
      sinkUri,
      sourceUri,
      config: completeConfig({ filter: { rules: [...rules] } }),
    });
  /** The lines of a refusal behind the first. */
  async function findings(creation: Promise<unknown>): Promise<readonly string[]> {
    const error = await creation.then(
      () => assert.fail('it was not refused'),
      (thrown: TidemarkError) => thrown,
    );
    assert.equal(error.code, 'PREFLIGHT_FAILED', error.message);
    return error.message.split('\n').slice(1);
  }

  test('says everything at once, a line for each finding, and its remedies are enough', async () => {
    const url = bench.postgres.url.replace('tidemark:tidemark@', 'weak:weak@');
    const rules = ['`sre_app.shop`.orders'];
    assert.deepEqual(await findings(create(url, rules)), [
      'role "weak" may not replicate: ALTER ROLE "weak" REPLICATION (on Amazon RDS: GRANT rds_replication TO "weak")',
      'role "weak" may not create a publication in database "sre_app": GRANT CREATE ON DATABASE "sre_app" TO "weak"',
      '"shop"."orders" belongs to "keeper", and only its owner may publish it: GRANT "keeper" TO "weak"',
    ]);
    await bench.postgres.query('ALTER ROLE "weak" REPLICATION; GRANT CREATE ON DATABASE "sre_app" TO "weak"');
    await bench.postgres.query('GRANT "keeper" TO "weak"');
    await assert.rejects(create(url, rules), (error: TidemarkError) => {
      assert.equal(error.code, 'TABLE_INELIGIBLE');
      const remedy = 'GRANT USAGE ON SCHEMA "shop" TO "weak"; GRANT SELECT ON "shop"."orders" TO "weak"';
      assert.ok(error.message.endsWith(`"shop"."orders" may not be read: ${remedy}`), error.message);
      return true;
    });
    await bench.postgres.query(
      'GRANT USAGE ON SCHEMA "shop" TO "weak"; GRANT SELECT ON "shop"."orders" TO "weak"',
    );
    await create(url, rules);
    await streams(bench.changefeeds, 'checked');
    await bench.postgres.query('INSERT INTO shop.orders VALUES (1)');
    await bench.received(1);
    await bench.changefeeds.remove('checked');
  });

  test('names tables that nothing identifies, with the remedy', async () => {
    await assert.rejects(create(bench.postgres.url, ['`sre_app.shop`.*']), {
      code: 'TABLE_INELIGIBLE',
      message:
        /"shop"\."logs" has no primary key: add one, or ALTER TABLE "shop"\."logs" REPLICA IDENTITY FULL/,
    });
  });

  test('says what the server lacks', async () => {
    const poor = await startPostgres({
      settings: { wal_level: 'replica', max_replication_slots: '0', max_wal_senders: '0' },
    });
    try {
      assert.deepEqual(await findings(create(poor.url, ['*.*'])), [
        "wal_level is replica, not logical: ALTER SYSTEM SET wal_level = 'logical', and restart the server",
        'all 0 replication slots are taken: drop a slot that nobody needs, or raise max_replication_slots and restart the server',
        'all 0 WAL senders are busy: end a replication connection that nobody needs, or raise max_wal_senders and restart the server',
      ]);
    } finally {
      await poor.stop();
    }
  });

  test('a source that cannot be had is named without its password', async () => {
    const { port } = bench.postgres;
    for (const url of [
      `postgres://tidemark:hunter2@127.0.0.1:${port}/sre_app`,
      `postgres://tidemark:hunter2@127.0.0.1:1/shop`,
    ]) {
      await assert.rejects(create(url, ['*.*']), (error: TidemarkError) => {
        assert.equal(error.code, 'SOURCE_UNREACHABLE');
        assert.doesNotMatch(`${error.message} ${error.hint} ${String(error.cause)}`, /hunter2/);
        return true;
      });
    }
    for (const url of ['mysql://h/d', 'postgres://h', 'postgres:///d', 'hunter2', 'postgres://u:xxxxx@h/d']) {
      await assert.rejects(create(url, ['*.*']), (error: TidemarkError) => {
        assert.equal(error.code, 'SOURCE_URI_INVALID');
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      });
    }
  });
});
