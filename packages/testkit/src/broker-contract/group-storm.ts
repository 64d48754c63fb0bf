import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@tidemark/kernel';
import type { Consumer } from 'kafkajs';
import { eventually } from '../eventually.ts';
import { type BrokerTarget, createTopic, kafkajsClient, uniqueName, withProducer } from './target.ts';

const WITHIN_MS = 60_000;

/** Who owned what: one member for each partition of each generation, or the broker let two members read the same. */
class Owners {
  readonly #owners = new Map<string, string>();
  readonly conflicts: string[] = [];

  record(generation: number, memberId: string, partitions: readonly number[]): void {
    for (const partition of partitions) {
      const place = `generation ${generation}, partition ${partition}`;
      const owner = this.#owners.get(place);
      if (owner !== undefined && owner !== memberId)
        this.conflicts.push(`${place}: ${owner} and ${memberId}`);
      this.#owners.set(place, memberId);
    }
  }
}

interface Storm {
  readonly topic: string;
  readonly groupId: string;
  readonly owners: Owners;
  readonly seen: Set<string>;
}

/** Many members that come and go while messages flow. */
export function groupStormContract(target: BrokerTarget, members: number, seed: number): void {
  test(`${members} members that come and go read everything, each partition by one of them (seed ${seed})`, () =>
    weather(target, members, seededRandom(seed)));
}

async function weather(target: BrokerTarget, size: number, random: () => number): Promise<void> {
  const partitions = size + 4;
  const topic = await createTopic(target, 'storm', { partitions });
  const storm: Storm = { topic, groupId: uniqueName('storm'), owners: new Owners(), seen: new Set() };
  const living: Consumer[] = [];
  const sent = new Set<string>();
  try {
    for (let wave = 0; wave < 3; wave += 1) {
      while (living.length < size) living.push(await join(target, storm));
      await send(target, topic, wave, partitions, sent);
      const leaving = living.splice(0, 1 + Math.floor((random() * size) / 2));
      await Promise.all(leaving.map(consumer => consumer.disconnect()));
    }
    await eventually('every message was read', () => sent.size === storm.seen.size, { withinMs: WITHIN_MS });
    await eventually('the group is calm', () => isStable(target, storm, living.length), {
      withinMs: WITHIN_MS,
    });
    assert.deepEqual(storm.owners.conflicts, []);
  } finally {
    await Promise.all(living.map(consumer => consumer.disconnect()));
  }
}

async function join(target: BrokerTarget, { topic, groupId, owners, seen }: Storm): Promise<Consumer> {
  const consumer = kafkajsClient(target, uniqueName('member')).consumer({
    groupId,
    heartbeatInterval: 200,
    maxWaitTimeInMs: 100,
  });
  let assigned: readonly number[] = [];
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assigned = payload.memberAssignment[topic] ?? [];
  });
  consumer.on(consumer.events.HEARTBEAT, ({ payload }) => {
    owners.record(payload.groupGenerationId, payload.memberId, assigned);
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      seen.add(message.value?.toString() ?? '');
    },
  });
  return consumer;
}

async function send(
  target: BrokerTarget,
  topic: string,
  wave: number,
  partitions: number,
  sent: Set<string>,
): Promise<void> {
  const messages = Array.from({ length: partitions * 5 }, (_, index) => ({
    partition: index % partitions,
    value: `${wave}-${index}`,
  }));
  await withProducer(target, producer => producer.send({ topic, messages }));
  for (const { value } of messages) sent.add(value);
}

async function isStable(target: BrokerTarget, { groupId }: Storm, members: number): Promise<boolean> {
  const admin = kafkajsClient(target).admin();
  await admin.connect();
  try {
    const { groups } = await admin.describeGroups([groupId]);
    return groups[0]?.state === 'Stable' && groups[0].members.length === members;
  } finally {
    await admin.disconnect();
  }
}
