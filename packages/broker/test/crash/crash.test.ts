import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { seededRandom } from '@tidemark/kernel';
import { metadata } from '../../src/api/03-metadata.ts';
import { offsetFetch } from '../../src/api/09-offset-fetch.ts';
import { RawClient } from '../raw-client.ts';
import { type BrokerChild, forkBroker, forkSurvivor, type ProcessPlan } from './broker-child.ts';
import { Evidence } from './evidence.ts';
import { type KillPlan, type KillPoint, killPoints } from './kill-points.ts';
import { GROUP, loadUntilDeath, PARTITIONS, settleTransactions, TOPIC } from './load.ts';
import { type ReadRecord, readCommitted, readSome } from './partition-reader.ts';
import { RawProducer } from './raw-producer.ts';
import { damageFolder, newestLogs } from './tails.ts';

/** Kills per policy. */
const RUNS = Number(process.env['TIDEMARK_CRASH_RUNS'] ?? 67);
const SEED = Number(process.env['TIDEMARK_CRASH_SEED'] ?? Date.now() % 1_000_000);
/** Small, so that segments roll and journals grow while the load runs. */
const SEGMENT_BYTES = 20_000;
/** Acknowledgements after which a broker dies at the latest. */
const LIFE = 500;
/** With this many runs every point is reached; fewer are for a quick look. */
const RUNS_THAT_MEET_ALL = 60;

const points = Object.keys(killPoints) as KillPoint[];

describe(`kill -9 under load (seed ${SEED}, ${RUNS} runs a policy)`, { concurrency: 3 }, () => {
  for (const fsync of ['os', 'interval', 'group'] as const) {
    test(`loses nothing acknowledged, reuses no offset and keeps transactions whole: ${fsync}`, async t => {
      const folder = await mkdtemp(join(tmpdir(), 'tidemark-crash-'));
      try {
        await killAgainAndAgain(t, { folder: join(folder, 'data'), fsync, segmentBytes: SEGMENT_BYTES });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});

async function killAgainAndAgain(t: TestContext, plan: ProcessPlan): Promise<void> {
  const evidence = new Evidence();
  const report = `${plan.folder}.kills`;
  for (let run = 0; run < RUNS; run += 1) {
    // Of its own for each life, or what the loads of one draw would decide where the next one dies.
    const seed = SEED * 1000 + run;
    const random = seededRandom(seed);
    const kill = killPlan(run, random, report);
    const broker = await forkBroker(kill ? { ...plan, kill } : plan);
    if (broker) {
      killAfter(broker, evidence, kill ? LIFE : Math.floor(random() * LIFE));
      await loadUntilDeath({ broker, run, seed, evidence });
      assert.deepEqual(errorsOf(broker), []);
    }
    await damageFolder(plan.folder, random);
  }
  const survivor = await forkSurvivor(plan);
  try {
    await verify(survivor, evidence);
  } finally {
    await survivor.kill();
  }
  await tellPoints(t, report, evidence);
}

/** Every second broker dies at a moment of its own, the others at a step of the storage. */
function killPlan(run: number, random: () => number, report: string): KillPlan | undefined {
  const point = points[(run >> 1) % points.length] ?? 'log write';
  const nth = 1 + Math.floor(random() * killPoints[point]);
  const moment = (['before', 'within', 'after'] as const)[Math.floor(random() * 3)] ?? 'before';
  return run % 2 === 1 ? { point, nth, moment, report } : undefined;
}

/** Counted in acknowledgements, so that a life is as full on a busy machine as on an idle one. */
function killAfter(broker: BrokerChild, evidence: Evidence, acknowledgements: number): void {
  let last = Number.POSITIVE_INFINITY;
  evidence.onAcknowledged = count => {
    last = Math.min(last, count + acknowledgements);
    if (count >= last) void broker.kill();
  };
}

const errorsOf = (broker: BrokerChild) => broker.messages.filter(({ kind }) => kind === 'error');

async function verify(survivor: BrokerChild, evidence: Evidence): Promise<void> {
  await settleTransactions(survivor);
  const raw = new RawClient(survivor.address);
  try {
    const everything: ReadRecord[][] = [];
    const committed: ReadRecord[][] = [];
    for (const partition of PARTITIONS) {
      everything.push(await readEverything(raw, partition));
      committed.push(await readCommitted(raw, TOPIC, partition));
    }
    evidence.verifyRecords(everything);
    evidence.verifyTransactions(committed);
    assert.ok((await committedOffset(raw)) >= evidence.committedOffset, 'an acknowledged commit is lost');
    assert.ok(evidence.size > 0 && evidence.committedOffset > 0, 'nothing was acknowledged at all');
    assert.deepEqual(errorsOf(survivor), []);
  } finally {
    raw.close();
  }
}

async function readEverything(raw: RawClient, partition: number): Promise<ReadRecord[]> {
  const found: ReadRecord[] = [];
  for (let offset = 0; ; ) {
    const { records, nextOffset, end } = await readSome(raw, { topic: TOPIC, partition, offset });
    found.push(...records);
    if (nextOffset >= end) return found;
    offset = nextOffset;
  }
}

async function committedOffset(raw: RawClient): Promise<number> {
  const topics = [{ name: TOPIC, partitionIndexes: [0] }];
  const request = { groupId: GROUP, topics, groups: [], requireStable: false };
  const response = await raw.call<{ topics: { partitions: { committedOffset: number }[] }[] }>(
    offsetFetch,
    5,
    request,
  );
  return response.topics[0]?.partitions[0]?.committedOffset ?? -1;
}

/** Where the brokers died; every point must have been reached, or the test proves less than it says. */
async function tellPoints(t: TestContext, report: string, evidence: Evidence): Promise<void> {
  const reached = (await readFile(report, 'utf8').catch(() => '')).split('\n').filter(line => line !== '');
  const counts = points.map(point => [point, reached.filter(line => line === point).length] as const);
  t.diagnostic(
    `${evidence.size} records; died at ${counts.map(([point, count]) => `${point} ${count}`).join(', ')}; ${RUNS - reached.length} times at any moment`,
  );
  const missed = counts.filter(([, count]) => count === 0).map(([point]) => point);
  if (RUNS >= RUNS_THAT_MEET_ALL) assert.deepEqual(missed, [], 'no broker died there');
}

test('a flipped bit in the unsealed tail cuts the log there and is told', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-flip-'));
  const plan: ProcessPlan = { folder, fsync: 'os', segmentBytes: 67_108_864 };
  try {
    const first = await forkSurvivor(plan);
    const sender = new RawClient(first.address);
    await sender.call(metadata, 4, { topics: [{ name: TOPIC }], allowAutoTopicCreation: true });
    const producer = new RawProducer(sender, TOPIC);
    await producer.init();
    for (const key of ['b1', 'b2', 'b3']) await producer.send(1, [key], 20);
    await first.kill();
    for (const path of await newestLogs(folder)) {
      const file = await open(path, 'r+');
      const { size } = await file.stat();
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, size - 10);
      await file.write(Buffer.from([(byte[0] ?? 0) ^ 0x10]), 0, 1, size - 10);
      await file.close();
    }
    const second = await forkSurvivor(plan);
    const raw = new RawClient(second.address);
    try {
      const left = await readCommitted(raw, TOPIC, 1);
      assert.deepEqual(
        left.map(({ key }) => key),
        ['b1', 'b2'],
      );
      assert.ok(
        second.messages.some(({ kind, message }) => kind === 'warning' && message?.includes('torn tail')),
      );
    } finally {
      raw.close();
      await second.kill();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
