import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { completeConfig } from '../src/changefeed/replica-config.ts';
import { type OpenedChangefeeds, openChangefeeds, sink, sinkUri, streams } from './support/capture-bench.ts';
import { MemoryTopic } from './support/memory-topic.ts';

suite('large transactions that the server keeps', () => {
  let postgres: TestPostgres;
  let topic: MemoryTopic;
  before(async () => {
    postgres = await startPostgres({ migrated: true, settings: { logical_decoding_work_mem: '64kB' } });
    await postgres.query('CREATE TABLE wide (id serial PRIMARY KEY, v text)');
  });
  after(() => postgres.stop());

  /** Captures a transaction that would be streamed; tells whether it was. */
  async function wasStreamed(id: string, { changefeeds, dataDir }: OpenedChangefeeds): Promise<boolean> {
    await eventually('loaded', () => changefeeds.isLoaded);
    const config = completeConfig({ sink, filter: { rules: ['sre_app.wide'] } });
    await changefeeds.create({ id, sinkUri, config });
    await streams(changefeeds, id);
    await postgres.query(`INSERT INTO wide (v) SELECT repeat('x', 1000) FROM generate_series(1, 400)`);
    await eventually('the rows', () => topic.messages.length >= 400);
    const isStreamed = existsSync(join(dataDir, 'transactions', id));
    await changefeeds.remove(id);
    return isStreamed;
  }

  test('because there is no folder for them', async t => {
    topic = new MemoryTopic();
    const opened = openChangefeeds(postgres.url, () => topic.sink());
    t.after(() => opened.close());
    writeFileSync(join(opened.dataDir, 'transactions'), 'a file where the folder should be');
    assert.equal(await wasStreamed('homeless', opened), false);
  });

  test('because it has failed twice in a row; once is nothing', async t => {
    for (const failures of [1, 2]) {
      topic = new MemoryTopic();
      let attempts = 0;
      const opened = openChangefeeds(postgres.url, () => ({
        ...topic.sink(),
        open: async () => {
          attempts += 1;
          if (attempts > failures) return;
          throw Object.assign(new Error('could not map filenumber to relation OID'), { code: 'XX000' });
        },
      }));
      t.after(() => opened.close());
      assert.equal(await wasStreamed(`doubted-${failures}`, opened), failures === 1);
    }
  });
});
