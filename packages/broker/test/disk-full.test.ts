import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { errorCode } from '@tidemark/kernel';
import { produce } from '../src/api/00-produce.ts';
import { metadata } from '../src/api/03-metadata.ts';
import { offsetCommit } from '../src/api/08-offset-commit.ts';
import { type BrokerOptions, type FsyncPolicy, type RunningBroker, startBroker } from '../src/index.ts';
import { errorCodes } from '../src/wire/error-codes.ts';
import { batchOf } from './batches.ts';
import { type ReadRecord, readSome } from './crash/partition-reader.ts';
import { RawClient } from './raw-client.ts';

const TOPIC = 'full';
const DISK_BYTES = 8 * 1024 * 1024;

/** A file system of its own, or the reason why this machine gives none. */
function mountSmallDisk(): { readonly folder: string; readonly skip: string | false } {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-full-'));
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder]);
  if (status === 0) return { folder, skip: false };
  rmSync(folder, { recursive: true });
  const reason = `no small file system can be mounted here: ${String(stderr).trim()}`;
  process.stderr.write(`\n  !! SKIPPED: the broker on a full disk: ${reason}\n\n`);
  return { folder, skip: reason };
}

async function onSmallDisk(work: (folder: string) => Promise<void>): Promise<void> {
  const { folder } = mountSmallDisk();
  try {
    await work(folder);
  } finally {
    spawnSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  }
}

/** Takes what is left of the disk; answers how to give it back. */
async function takeAllSpace(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'ballast');
  const file = await open(path, 'w');
  try {
    for (const block = Buffer.alloc(4096); ; ) await file.write(block);
  } catch (error) {
    assert.equal(errorCode(error), 'ENOSPC');
  } finally {
    await file.close();
  }
  return () => rm(path);
}

class Session {
  readonly #client: RawClient;
  /** Offset → key of what was acknowledged. */
  readonly acknowledged = new Map<number, string>();

  constructor({ address }: RunningBroker, before?: Session) {
    this.#client = new RawClient(address);
    for (const [offset, key] of before?.acknowledged ?? []) this.acknowledged.set(offset, key);
  }

  async createTopic(): Promise<void> {
    await this.#client.call(metadata, 4, { topics: [{ name: TOPIC }], allowAutoTopicCreation: true });
  }

  async send(key: string, bytes = 100_000): Promise<number> {
    const records = batchOf({ records: [{ key, value: 'x'.repeat(bytes) }] });
    const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records }] }];
    const { responses } = await this.#client.call<{
      responses: { partitionResponses: { errorCode: number; baseOffset: number }[] }[];
    }>(produce, 7, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
    const answer = responses[0]?.partitionResponses[0];
    if (answer?.errorCode === 0) {
      assert.ok(!this.acknowledged.has(answer.baseOffset), 'an offset was given twice');
      this.acknowledged.set(answer.baseOffset, key);
    }
    return answer?.errorCode ?? -1;
  }

  async commit(): Promise<number> {
    const partition = {
      partitionIndex: 0,
      committedOffset: 1,
      committedLeaderEpoch: -1,
      committedMetadata: '',
    };
    const { topics } = await this.#client.call<{ topics: { partitions: { errorCode: number }[] }[] }>(
      offsetCommit,
      6,
      {
        groupId: 'g',
        generationIdOrMemberEpoch: -1,
        memberId: '',
        groupInstanceId: null,
        retentionTimeMs: -1,
        topics: [{ name: TOPIC, partitions: [partition] }],
      },
    );
    return topics[0]?.partitions[0]?.errorCode ?? -1;
  }

  /** Everything that was acknowledged can be read, at its offset. */
  async verify(): Promise<void> {
    const found: ReadRecord[] = [];
    for (let offset = 0; ; ) {
      const { records, nextOffset, end } = await readSome(this.#client, {
        topic: TOPIC,
        partition: 0,
        offset,
      });
      found.push(...records);
      if (nextOffset >= end) break;
      offset = nextOffset;
    }
    assert.deepEqual(
      found.map(({ offset, key }) => [offset, key]),
      [...this.acknowledged].toSorted(([a], [b]) => a - b),
    );
  }

  close(): void {
    this.#client.close();
  }
}

const probe = mountSmallDisk();
if (probe.skip === false) {
  spawnSync('umount', [probe.folder]);
  rmSync(probe.folder, { recursive: true });
}

describe('a disk that is really full', { skip: probe.skip }, () => {
  for (const fsync of ['os', 'interval', 'group'] as const) {
    test(`refuses writes with the right errors, is read, recovers, and loses nothing: ${fsync}`, () =>
      onSmallDisk(folder => fillAndRecover(join(folder, 'data'), folder, fsync)));
  }

  test('a broker that cannot start says so in one clear line, and starts when there is room', () =>
    onSmallDisk(async folder => {
      const free = await takeAllSpace(folder);
      const dataDir = join(folder, 'data');
      await assert.rejects(startBroker({ dataDir }), { code: 'BROKER_DATA_UNWRITABLE' });
      await free();
      await (await startBroker({ dataDir })).stop();
    }));
});

async function withBroker<T>(
  options: BrokerOptions,
  work: (broker: RunningBroker) => Promise<T>,
): Promise<T> {
  const broker = await startBroker(options);
  try {
    return await work(broker);
  } finally {
    await broker.stop(); // also without room for what a clean stop writes
  }
}

async function fillAndRecover(dataDir: string, folder: string, fsync: FsyncPolicy): Promise<void> {
  const options = { dataDir, fsync, topicDefaults: { 'segment.bytes': '1000000' } };
  let free = async () => {};
  const before = await withBroker(options, async broker => {
    const session = new Session(broker);
    free = await fill(session, folder);
    session.close();
    return session;
  });
  await free();
  await withBroker(options, async broker => {
    const session = new Session(broker, before);
    await recover(session, folder);
    session.close();
  });
}

/** Writes until nothing more is taken, and sees what is served all the same. */
async function fill(session: Session, folder: string): Promise<() => Promise<void>> {
  await session.createTopic();
  let refusal = errorCodes.none as number;
  for (let index = 0; refusal === 0; index += 1) refusal = await session.send(`before-${index}`);
  assert.equal(refusal, errorCodes.kafkaStorageError);
  assert.ok(session.acknowledged.size > 30);
  const free = await takeAllSpace(folder);
  await session.verify();
  assert.equal(await session.send('refused'), errorCodes.kafkaStorageError);
  let refused = errorCodes.none as number;
  while (refused === 0) refused = await session.commit(); // the last page of the journal still has room
  assert.equal(refused, errorCodes.coordinatorNotAvailable);
  await session.verify();
  return free;
}

/** Everything is there after a start, and writes go on when there is room, also without one. */
async function recover(session: Session, folder: string): Promise<void> {
  await session.verify();
  assert.equal(await session.send('after', 1000), errorCodes.none);
  const free = await takeAllSpace(folder);
  while ((await session.send('to the brim')) === 0);
  await free();
  assert.equal(await session.send('without a restart', 1000), errorCodes.none);
  assert.equal(await session.commit(), errorCodes.none);
  await session.verify();
}
