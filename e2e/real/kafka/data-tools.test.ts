import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embedded } from '../targets.ts';
import { compatibilityArgs } from './class-archive.ts';
import { withTools } from './with-tools.ts';

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

await withTools({ title: 'records through the tools', concurrency: 3 }, (tools, target) => {
  test('kafka-console-producer and -consumer carry records of every codec, in order, as they were written', async () => {
    const written = codecs.flatMap(codec => lines(codec));
    for (const codec of codecs) {
      await tools().produce('codecs', lines(codec), `--compression-codec=${codec}`);
      await tools().produce(`codec-${codec}`, lines(codec), `--compression-codec=${codec}`);
    }
    const read = await tools().consume('codecs', { count: written.length });
    assert.deepEqual(
      read.map(({ key, value }) => `${key}:${value}`),
      written,
    );
    assert.deepEqual(
      read.map(({ offset }) => offset),
      written.map((_, index) => index),
    );
    const bytes = await sizes(codecs.map(codec => `codec-${codec}`));
    const plain = bytes['codec-none'] ?? 0;
    assert.ok(plain > lines('none').join('').length, `${plain} bytes uncompressed`);
    for (const codec of codecs.filter(codec => codec !== 'none')) {
      const compressed = bytes[`codec-${codec}`] ?? 0;
      assert.ok(
        compressed > 61 && compressed < plain / 3,
        `${codec} is stored as ${compressed} of ${plain} bytes`,
      );
    }
  });

  test('keys choose their partition as the Java client hashes them, and keep their order', async () => {
    await tools().createTopic('keyed', 4);
    const written = Array.from({ length: 60 }, (_, index) => `key-${index % 12}:${index}`);
    await tools().produce('keyed', written);
    const read = await tools().consume('keyed', { count: written.length });
    assert.ok(new Set(read.map(({ partition }) => partition)).size > 1);
    for (let key = 0; key < 12; key += 1) {
      const own = read.filter(record => record.key === `key-${key}`);
      assert.equal(new Set(own.map(({ partition }) => partition)).size, 1);
      assert.deepEqual(
        own.map(({ value }) => Number(value)),
        [0, 1, 2, 3, 4].map(round => round * 12 + key),
      );
    }
  });

  test('a consumer starts where it is told: at an offset, at a time', async () => {
    await tools().produce('moments', ['a:0', 'b:1', 'c:2']);
    await tools().produce('moments', ['d:3', 'e:4']); // another program start later, so at another time
    const all = await tools().consume('moments', { count: 5 });
    const later = all[3]?.timestamp ?? 0;
    assert.ok(later > (all[2]?.timestamp ?? 0));
    assert.deepEqual(await tools().offsets('moments', String(later)), { 0: 3 });
    assert.deepEqual(await tools().offsets('moments', String(later - 1)), { 0: 3 });
    assert.deepEqual(await tools().offsets('moments', 'max-timestamp'), { 0: maxTimestampOffset(all) });
    const rest = await tools().consume('moments', { count: 2, from: ['--partition=0', '--offset=3'] });
    assert.deepEqual(
      rest.map(({ value }) => value),
      ['3', '4'],
    );
  });

  test('kafka-producer-perf-test writes idempotently at full speed, kafka-consumer-perf-test reads all of it', async t => {
    const sent = await tools().ok('producer-perf-test', [
      '--topic=perf',
      '--num-records=50000',
      '--record-size=200',
      '--throughput=-1',
    ]);
    assert.match(sent, /^50000 records sent/m);
    assert.deepEqual(await tools().offsets('perf', 'latest'), { 0: 50_000 });
    const read = await tools().ok('consumer-perf-test', [
      '--topic=perf',
      tools().options.count,
      '50000',
      '--timeout=20000',
    ]);
    const [, , megabytes, , records] = (read.trim().split('\n').at(-1) ?? '').split(', ');
    assert.equal(records, '50000');
    assert.equal(megabytes, (10_000_000 / 1024 / 1024).toFixed(4));
    t.diagnostic(sent.trim().split('\n').at(-1) ?? '');
  });

  test('kafka-verifiable-producer is acknowledged every value at an offset of its own', async () => {
    const output = await tools().ok('verifiable-producer', [
      '--topic=verified',
      '--max-messages=500',
      '--throughput=-1',
      '--acks=-1',
    ]);
    const events = output
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { name: string; value?: string; offset?: number; acked?: number });
    const acknowledged = events.filter(({ name }) => name === 'producer_send_success');
    assert.equal(events.find(({ name }) => name === 'tool_data')?.acked, 500);
    const read = await tools().consume('verified', { count: 500 });
    assert.deepEqual(
      read.map(({ offset, value }) => [offset, value]),
      acknowledged.map(({ offset, value }) => [offset, value]),
    );
  });

  test("Kafka's own test of a client's expectations passes", async () => {
    const { code, stdout } = await tools().run(
      'client-compatibility-test',
      compatibilityArgs('compatible', { acls: target !== embedded }),
    );
    assert.equal(code, 0, stdout);
    assert.match(stdout, /SUCCESS/);
  });

  /** Bytes that topics of one partition take on the broker's disk. */
  async function sizes(topics: readonly string[]): Promise<Readonly<Record<string, number>>> {
    const output = await tools().ok('log-dirs', ['--describe', '--topic-list', topics.join(',')]);
    const told = JSON.parse(output.slice(output.indexOf('{'))) as {
      brokers: { logDirs: { partitions: { partition: string; size: number }[] }[] }[];
    };
    const partitions = told.brokers.flatMap(({ logDirs }) => logDirs.flatMap(dir => dir.partitions));
    return Object.fromEntries(partitions.map(({ partition, size }) => [partition.replace(/-0$/, ''), size]));
  }
});

/** Two hundred records that compress well. */
function lines(codec: string): readonly string[] {
  return Array.from(
    { length: 200 },
    (_, index) => `k${index % 3}:${codec} ${index} ${'tide '.repeat(60)}end`,
  );
}

/** The first of the records with the highest timestamp, which is the one that ListOffsets answers (KIP-734). */
function maxTimestampOffset(records: readonly { timestamp: number; offset: number }[]): number | undefined {
  const highest = Math.max(...records.map(({ timestamp }) => timestamp));
  return records.find(({ timestamp }) => timestamp === highest)?.offset;
}
