import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withTools } from './with-tools.ts';

await withTools({ title: 'administration with the tools', concurrency: 3 }, tools => {
  test('kafka-topics creates, describes, lists, grows and deletes topics', async () => {
    const topics = (...args: string[]) => tools().ok('topics', args);
    await topics('--create', '--topic', 'orders', '--partitions', '3', '--config', 'retention.ms=3600000');
    const described = await topics('--describe', '--topic', 'orders');
    assert.match(described, /^Topic: orders\tTopicId: [\w-]{22}\tPartitionCount: 3\tReplicationFactor: 1\t/);
    assert.match(described, /retention\.ms=3600000/);
    assert.equal(described.match(/Partition: \d+\tLeader: 1\tReplicas: 1\tIsr: 1/g)?.length, 3);

    await topics('--alter', '--topic', 'orders', '--partitions', '5');
    assert.match(await topics('--describe', '--topic', 'orders'), /PartitionCount: 5/);
    await topics('--create', '--topic', 'orders', '--if-not-exists');
    assert.deepEqual(named(await topics('--list'), 'orders'), ['orders']);

    await topics('--delete', '--topic', 'orders');
    assert.deepEqual(named(await topics('--list'), 'orders'), []);
  });

  test('kafka-topics is told why what it wants cannot be', async () => {
    await tools().createTopic('taken', 2);
    const refusals = [
      { args: ['--create', '--topic', 'taken'], reason: /Topic 'taken' already exists/ },
      {
        args: ['--alter', '--topic', 'taken', '--partitions', '1'],
        reason: /currently has 2 partition/,
      },
      { args: ['--create', '--topic', 'no/slash'], reason: /invalid|illegal/i },
      {
        args: ['--create', '--topic', 'odd', '--config', 'retention.ms=soon'],
        reason: /InvalidConfigurationException|Invalid value soon/,
      },
      {
        args: ['--create', '--topic', 'odd', '--replication-factor', '3'],
        reason: /InvalidReplicationFactorException|replication factor/i,
      },
    ];
    for (const { args, reason } of refusals) {
      const { code, stdout, stderr } = await tools().run('topics', args);
      assert.equal(code, 1, `${args.join(' ')}: ${stdout}`);
      assert.match(stdout + stderr, reason);
    }
  });

  test('kafka-configs changes, shows and resets the settings of a topic', async () => {
    await tools().createTopic('settings', 1);
    const configs = (...args: string[]) =>
      tools().ok('configs', ['--entity-type', 'topics', '--entity-name', 'settings', ...args]);
    await configs('--alter', '--add-config', 'max.message.bytes=2000000,cleanup.policy=[compact,delete]');
    const changed = await configs('--describe');
    assert.match(changed, /max\.message\.bytes=2000000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG/);
    assert.match(changed, /cleanup\.policy=compact,delete /);
    await configs('--alter', '--delete-config', 'max.message.bytes');
    assert.doesNotMatch(await configs('--describe'), /max\.message\.bytes/);
    const all = await configs('--describe', '--all');
    assert.match(all, /max\.message\.bytes=1048588 /, 'the default is back');
    for (const setting of ['retention.ms', 'retention.bytes', 'segment.bytes', 'min.insync.replicas']) {
      assert.match(all, new RegExp(`${setting.replaceAll('.', '\\.')}=-?\\d+ `));
    }
  });

  test('kafka-configs shows the settings of the broker', async () => {
    const all = await tools().ok('configs', [
      '--entity-type=brokers',
      '--entity-name=1',
      '--describe',
      '--all',
    ]);
    assert.match(all, /default\.replication\.factor=1 /);
    assert.match(all, /message\.max\.bytes=1048588 /);
    assert.match(all, /auto\.create\.topics\.enable=true /);
  });

  test('kafka-get-offsets and kafka-delete-records agree on where the log begins and ends', async () => {
    await tools().createTopic('trimmed', 1);
    await tools().produce('trimmed', ['a:0', 'b:1', 'c:2', 'd:3', 'e:4']);
    assert.deepEqual(await tools().offsets('trimmed', 'latest'), { 0: 5 });
    assert.deepEqual(await tools().offsets('trimmed', 'earliest'), { 0: 0 });
    const request = { version: 1, partitions: [{ topic: 'trimmed', partition: 0, offset: 3 }] };
    assert.match(await deleteRecords(request), /partition: trimmed-0\s+low_watermark: 3/);
    assert.deepEqual(await tools().offsets('trimmed', 'earliest'), { 0: 3 });
    const left = await tools().consume('trimmed', { count: 2 });
    assert.deepEqual(
      left.map(({ offset, value }) => [offset, value]),
      [
        [3, '3'],
        [4, '4'],
      ],
    );
    const tooFar = { version: 1, partitions: [{ topic: 'trimmed', partition: 0, offset: 99 }] };
    assert.match(await deleteRecords(tooFar), /error: .*OffsetOutOfRange/);
  });

  test('kafka-log-dirs, kafka-cluster and kafka-broker-api-versions describe the broker', async () => {
    await tools().createTopic('weighed', 1);
    await tools().produce('weighed', ['k:0123456789']);
    const dirs = await tools().ok('log-dirs', ['--describe', '--topic-list', 'weighed']);
    const { brokers } = JSON.parse(dirs.slice(dirs.indexOf('{'))) as {
      brokers: { logDirs: { partitions: { partition: string; size: number }[] }[] }[];
    };
    const [partition] = brokers[0]?.logDirs[0]?.partitions ?? [];
    assert.equal(partition?.partition, 'weighed-0');
    assert.ok((partition?.size ?? 0) >= 61 + 10, 'a batch has a header of 61 bytes');

    assert.match(await tools().ok('cluster', ['cluster-id']), /^Cluster ID: [\w-]{22}$/m);
    const versions = await tools().ok('broker-api-versions', []);
    for (const api of ['Produce', 'Fetch', 'Metadata', 'JoinGroup', 'CreateTopics', 'InitProducerId']) {
      assert.match(versions, new RegExp(`${api}\\(\\d+\\): \\d+ to \\d+ \\[usable: \\d+\\]`));
    }
  });

  async function deleteRecords(request: object): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-delete-records-'));
    const file = join(folder, 'request.json');
    try {
      await writeFile(file, JSON.stringify(request));
      return await tools().ok('delete-records', ['--offset-json-file', file]);
    } finally {
      await rm(folder, { recursive: true });
    }
  }
});

// Functions, not constants: the first tests run while the tools of the next meeting are still being fetched.

function named(list: string, name: string): string[] {
  return list.split('\n').filter(line => line === name);
}
