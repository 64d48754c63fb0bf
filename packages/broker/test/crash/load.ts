import { seededRandom } from '@tidemark/kernel';
import { metadata } from '../../src/api/03-metadata.ts';
import { offsetCommit } from '../../src/api/08-offset-commit.ts';
import { RawClient } from '../raw-client.ts';
import type { BrokerChild } from './broker-child.ts';
import type { Evidence } from './evidence.ts';
import { readSome } from './partition-reader.ts';
import { RawProducer } from './raw-producer.ts';

export const TOPIC = 'crash';
export const GROUP = 'crash-group';
export const PARTITIONS = [0, 1, 2] as const;
/** Transactional ids come again, so that what one broker left open is ended by a producer at a later one. */
const TRANSACTIONAL_IDS = 5;

/** One life of a broker, by its number. */
export interface Life {
  readonly broker: BrokerChild;
  readonly run: number;
  readonly seed: number;
  readonly evidence: Evidence;
}

type Load = (client: RawClient, life: Life) => Promise<never>;

/** Everything that clients do at once, until the broker dies. Whatever ends a load otherwise is told. */
export async function loadUntilDeath(life: Life): Promise<void> {
  const loads: readonly Load[] = [plainLoad, transactionLoad, commitLoad, readLoad];
  await createTopic(life.broker).catch(() => {}); // it may be dead already
  const outcomes = await Promise.allSettled(
    loads.map(async load => {
      const client = new RawClient(life.broker.address);
      await load(client, life).finally(() => client.close());
    }),
  );
  for (const outcome of outcomes) {
    const reason: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
    if (!(reason instanceof Error) || !reason.message.includes('hung up')) {
      await life.broker.kill();
      throw new Error(`a load ended in run ${life.run} while the broker lived`, { cause: reason });
    }
  }
  await life.broker.died;
}

/** What a crash left open holds back readers until its owner comes back or its time is up: the owners come back. */
export async function settleTransactions(broker: BrokerChild): Promise<void> {
  const client = new RawClient(broker.address);
  for (let id = 0; id < TRANSACTIONAL_IDS; id += 1) await transactionalProducer(client, id).init();
  client.close();
}

async function createTopic(broker: BrokerChild): Promise<void> {
  const client = new RawClient(broker.address);
  try {
    await client.call(metadata, 4, {
      topics: [{ name: TOPIC, topicId: null }],
      allowAutoTopicCreation: true,
    });
  } finally {
    client.close();
  }
}

/** Batches of different sizes, written by an idempotent producer. */
async function plainLoad(client: RawClient, { run, seed, evidence }: Life): Promise<never> {
  const random = seededRandom(seed + 1);
  const producer = new RawProducer(client, TOPIC);
  await producer.init();
  for (let batch = 0; ; batch += 1) {
    const count = 1 + Math.floor(random() * 8);
    const partition = count % PARTITIONS.length;
    const keys = Array.from({ length: count }, (_, index) => `${run}-${batch}-${index}`);
    const baseOffset = await producer.send(partition, keys, 300);
    for (const [index, key] of keys.entries()) evidence.saw(partition, baseOffset + index, key);
    evidence.acknowledged();
  }
}

async function transactionLoad(client: RawClient, { run, seed, evidence }: Life): Promise<never> {
  const random = seededRandom(seed + 2);
  const producer = transactionalProducer(client, run);
  await producer.init();
  for (let number = 0; ; number += 1) {
    const name = `txn-${run}-${number}`;
    await producer.begin(PARTITIONS);
    await Promise.all(
      PARTITIONS.map(async partition =>
        evidence.saw(partition, await producer.send(partition, [name], 20), name),
      ),
    );
    const commits = random() >= 0.3;
    if (commits) evidence.commitsNow(name);
    await producer.end(commits);
    if (commits) evidence.committed(name);
    evidence.acknowledged();
  }
}

/** Commits offsets of a group that only count up. */
async function commitLoad(client: RawClient, { evidence }: Life): Promise<never> {
  for (;;) {
    const committedOffset = evidence.committedOffset + 1;
    const partition = {
      partitionIndex: 0,
      committedOffset,
      committedLeaderEpoch: -1,
      committedMetadata: null,
    };
    const { topics } = await client.call<{ topics: { partitions: { errorCode: number }[] }[] }>(
      offsetCommit,
      6,
      {
        groupId: GROUP,
        generationIdOrMemberEpoch: -1,
        memberId: '',
        groupInstanceId: null,
        retentionTimeMs: -1,
        topics: [{ name: TOPIC, partitions: [partition] }],
      },
    );
    if (topics[0]?.partitions[0]?.errorCode !== 0) throw new Error('a commit was refused');
    evidence.committedOffset = committedOffset;
  }
}

/** Reads at the end of a partition: what was shown to a reader may not change either. */
async function readLoad(client: RawClient, { run, evidence }: Life): Promise<never> {
  const partition = run % PARTITIONS.length;
  let { end: offset } = await readSome(client, { topic: TOPIC, partition, offset: 0 });
  for (;;) {
    const { records, nextOffset } = await readSome(client, { topic: TOPIC, partition, offset });
    for (const record of records) evidence.saw(partition, record.offset, record.key);
    offset = nextOffset;
  }
}

const transactionalProducer = (client: RawClient, run: number): RawProducer =>
  new RawProducer(client, TOPIC, `crash-${run % TRANSACTIONAL_IDS}`);
