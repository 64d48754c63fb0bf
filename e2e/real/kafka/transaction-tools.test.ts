import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withTools } from './with-tools.ts';

await withTools({ title: 'transactions with the tools' }, tools => {
  test('a transactional copier that aborts at random copies every record once, and its offsets with them', async t => {
    const written = Array.from({ length: 300 }, (_, index) => `k${index % 7}:${index}`);
    await tools().produce('original', written);
    await tools().createTopic('copy', 1);
    const output = await tools().ok('transactional-message-copier', [
      '--input-topic=original',
      '--input-partition=0',
      '--output-topic=copy',
      '--max-messages=300',
      '--consumer-group=copiers',
      '--transaction-size=15',
      '--transactional-id=copier',
      '--enable-random-aborts',
      '--use-group-metadata',
    ]);
    assert.match(output, /"totalProcessed":300,/);
    const copied = await tools().consume('copy', { count: 300, readCommitted: true });
    assert.deepEqual(
      copied.map(({ key, value }) => `${key}:${value}`),
      written,
    );
    const { 0: end = 0 } = await tools().offsets('copy', 'latest');
    assert.ok(end >= 300 + 300 / 15, 'each of twenty transactions has left its marker');
    t.diagnostic(`${end - 300} offsets are markers and aborted records`);
    const progress = await tools().ok('consumer-groups', ['--describe', '--group=copiers']);
    assert.match(progress, /^copiers\s+original\s+0\s+300\s+300\s+0\s/m);
  });

  test('a second producer of the same transactional id goes on where the first ended', async () => {
    for (const round of [1, 2]) {
      const sent = await tools().ok('producer-perf-test', [
        '--topic=transactional',
        '--num-records=1000',
        '--record-size=100',
        '--throughput=-1',
        '--transactional-id=perf',
        '--transaction-duration-ms=20',
      ]);
      assert.match(sent, /^1000 records sent/m);
      const read = await tools().consume('transactional', { count: round * 1000, readCommitted: true });
      assert.equal(read.length, round * 1000);
    }
  });

  test('kafka-transactions lists and describes transactions and the producers of a partition', async () => {
    assert.match(await tools().ok('transactions', ['list']), /^copier\s+1\s+\d+\s+CompleteCommit/m);
    assert.match(
      await tools().ok('transactions', ['describe', '--transactional-id=copier']),
      /^1\s+copier\s+\d+\s+\d+\s+CompleteCommit\s+60000\s/m,
    );
    assert.match(
      await tools().ok('transactions', ['describe-producers', '--topic=copy', '--partition=0']),
      /^\d+\s+\d+\s+\d+\s+-?\d+\s+\d+\s+None/m,
    );
  });
});
