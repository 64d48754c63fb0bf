import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '@tidemark/kernel';
import { eventually } from '../eventually.ts';
import { type StormGroup, StormMember, type Tenure } from './storm-member.ts';
import { type BrokerTarget, createTopic, kafkajsClient, uniqueName, withProducer } from './target.ts';

const WITHIN_MS = 90_000;
const ROUNDS = 3;

/** Many members that come, go and die while messages flow. */
export function groupStormContract(target: BrokerTarget, members: number, seed: number): void {
  test(`${members} members that come, leave and die read everything, each message one of them in a generation (seed ${seed})`, t =>
    weather(t, target, members, seededRandom(seed)));
}

async function weather(
  t: TestContext,
  target: BrokerTarget,
  size: number,
  random: () => number,
): Promise<void> {
  const partitions = size + 4;
  const topic = await createTopic(target, 'storm', { partitions });
  const seen = new Set<string>();
  const sent = new Set<string>();
  const group: StormGroup = { target, topic, groupId: uniqueName('storm'), seen: value => seen.add(value) };
  const everybody: StormMember[] = [];
  const goodbyes: Promise<void>[] = [];
  let living: StormMember[] = [];
  const join = (count: number) => {
    const joining = Array.from({ length: count }, () => new StormMember(group));
    everybody.push(...joining);
    living.push(...joining);
    return Promise.all(joining.map(member => member.join()));
  };
  try {
    await join(size);
    for (let round = 0; round < ROUNDS; round += 1) {
      await send(target, { topic, partitions, round }, sent);
      const gone = living.filter(() => random() < 0.4);
      living = living.filter(member => !gone.includes(member));
      goodbyes.push(...gone.map(member => (random() < 0.5 ? member.leave() : member.die())));
      await join(gone.length);
    }
    await send(target, { topic, partitions, round: ROUNDS }, sent);
    await eventually('every message was read', () => sent.size === seen.size, { withinMs: WITHIN_MS });
    await eventually('the group is calm', () => isStable(group, living.length), { withinMs: WITHIN_MS });
    const tenures = everybody.flatMap(member => member.tenures);
    assert.deepEqual(conflictsIn(tenures), []);
    t.diagnostic(
      `${everybody.length} members, ${new Set(tenures.map(one => one.generation)).size} generations`,
    );
  } finally {
    await Promise.all([...goodbyes, ...living.map(member => member.leave())]);
  }
}

/** Partitions with two owners in a generation, messages with two readers in one, messages that were read by no owner. */
function conflictsIn(tenures: readonly Tenure[]): string[] {
  const conflicts: string[] = [];
  const owners = new Map<string, string>();
  const claim = (place: string, memberId: string) => {
    const owner = owners.get(place) ?? memberId;
    owners.set(place, owner);
    if (owner !== memberId) conflicts.push(`${place}: ${owner} and ${memberId}`);
  };
  for (const { memberId, owned, generation, processed } of tenures) {
    for (const place of processed) {
      if (!owned.includes(Number(place.split('/')[0])))
        conflicts.push(`${memberId} read ${place} of another`);
      if (generation !== null) claim(`generation ${generation}, message ${place}`, memberId);
    }
    if (generation === null) continue;
    for (const partition of owned) claim(`generation ${generation}, partition ${partition}`, memberId);
  }
  return conflicts;
}

interface Wave {
  readonly topic: string;
  readonly partitions: number;
  readonly round: number;
}

async function send(
  target: BrokerTarget,
  { topic, partitions, round }: Wave,
  sent: Set<string>,
): Promise<void> {
  const messages = Array.from({ length: partitions * 5 }, (_, index) => ({
    partition: index % partitions,
    value: `${round}-${index}`,
  }));
  await withProducer(target, producer => producer.send({ topic, messages }));
  for (const { value } of messages) sent.add(value);
}

async function isStable({ target, groupId }: StormGroup, members: number): Promise<boolean> {
  const admin = kafkajsClient(target).admin();
  await admin.connect();
  try {
    const { groups } = await admin.describeGroups([groupId]);
    return groups[0]?.state === 'Stable' && groups[0].members.length === members;
  } finally {
    await admin.disconnect();
  }
}
