import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { produce } from '../src/api/00-produce.ts';
import { noMetrics, startBroker } from '../src/index.ts';
import { RawClient } from './raw-client.ts';

test('a produce that is refused for its partition counts as refused', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tidemark-broker-'));
  const counted: string[] = [];
  const metrics = {
    ...noMetrics,
    requestDone: (api: string, error: string) => void counted.push(`${api} ${error}`),
  };
  const broker = await startBroker({ port: 0, dataDir, metrics });
  const client = new RawClient(`127.0.0.1:${broker.port}`);
  try {
    await client.call(produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 'not-there', partitionData: [{ index: 7, records: Buffer.alloc(0) }] }],
    });
    assert.deepEqual(counted, ['Produce unknownTopicOrPartition']);
  } finally {
    client.close();
    await broker.stop();
    await rm(dataDir, { recursive: true });
  }
});
