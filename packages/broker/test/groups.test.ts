import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deferred, seededRandom } from '@tidemark/kernel';
import { GroupCoordinator } from '../src/groups/group-coordinator.ts';
import { GroupRegistry } from '../src/groups/group-registry.ts';
import { errorCodes } from '../src/wire/error-codes.ts';
import { VirtualMember } from './virtual-member.ts';
import { VirtualTime } from './virtual-time.ts';

const PARTITIONS = 200;
const SEED = Number(process.env['TIDEMARK_GROUP_SEED'] ?? Date.now() % 1_000_000);
const STORMS = Number(process.env['TIDEMARK_GROUP_STORMS'] ?? 50);

function simulated(append: () => Promise<void> = async () => {}) {
  const time = new VirtualTime();
  const registry = new GroupRegistry({
    journal: { append },
    timers: time,
    monotonicMs: time.monotonicMs,
    initialDelayMs: 100,
    nowMs: time.monotonicMs,
    warn: message => assert.fail(message),
  });
  const coordinator = new GroupCoordinator(registry, {
    sessionMsMin: 100,
    sessionMsMax: 60_000,
    groupSizeMax: 1000,
  });
  const member = (name: string, options: { instanceId?: string } = {}) => {
    const created = new VirtualMember(coordinator, time, PARTITIONS, { name, ...options });
    created.start();
    return created;
  };
  return { time, registry, coordinator, member };
}

/** Within one generation no partition may have two owners, and once it is calm each has exactly one. */
function checkOwners(members: readonly VirtualMember[], isCalm: boolean): void {
  const owners = new Map<string, string>();
  for (const { name, generationId, assigned } of members.filter(one => one.isAlive)) {
    for (const partition of assigned) {
      const place = `${generationId}/${partition}`;
      assert.equal(owners.get(place), undefined, `${place} belongs to ${name} and ${owners.get(place)}`);
      owners.set(place, name);
    }
  }
  if (isCalm) assert.equal(owners.size, PARTITIONS);
}

describe('a consumer group', () => {
  test(`of 60 members that come, leave and die is shared exactly once when the storm is over (seed ${SEED})`, async () => {
    for (let storm = 0; storm < STORMS; storm += 1) {
      const random = seededRandom(SEED + storm);
      const { time, registry, member } = simulated();
      const members = Array.from({ length: 60 }, (_, index) => member(`m${index}`, staticEvery5(index)));
      for (let event = 0; event < 120; event += 1) {
        await time.advance(random() * 1500);
        const living = members.filter(one => one.isAlive);
        const victim = living[Math.floor(random() * living.length)];
        const kind = random();
        if (kind < 0.35 && living.length > 5) victim?.die();
        else if (kind < 0.6 && living.length > 5) victim?.leave();
        else members.push(member(`late-${event}`));
        checkOwners(members, false);
      }
      await time.advance(30_000);
      checkOwners(members, true);
      const group = registry.get('g');
      assert.equal(group?.state, 'Stable');
      assert.equal(group?.members.length, members.filter(one => one.isAlive).length, 'the dead are gone');
    }
  });

  test('gives a dead member up after its session and shares its partitions', async () => {
    const { time, registry, member } = simulated();
    const [first, second] = [member('first'), member('second')];
    await time.advance(3000);
    checkOwners([first, second], true);
    second.die();
    await time.advance(5000);
    assert.equal(registry.get('g')?.members.length, 2, 'not yet');
    await time.advance(10_000);
    checkOwners([first], true);
  });

  test('lets a static member return to its place without a rebalance, and fences the old one', async () => {
    const { time, registry, coordinator, member } = simulated();
    const first = member('first', { instanceId: 'a' });
    const second = member('second', { instanceId: 'b' });
    await time.advance(3000);
    const generation = registry.get('g')?.generationId;
    const share = second.assigned;
    const oldId = second.memberId;
    second.die();
    const back = member('second', { instanceId: 'b' });
    await time.advance(3000);
    assert.equal(registry.get('g')?.generationId, generation);
    assert.deepEqual(back.assigned, share);
    checkOwners([first, back], true);
    const claim = { memberId: oldId, groupInstanceId: 'b', generationId: generation ?? -1 };
    assert.equal(coordinator.heartbeat('g', claim), errorCodes.fencedInstanceId);
  });

  test('takes commits only from members of the generation', async () => {
    const { time, coordinator, member } = simulated();
    const only = member('only');
    await time.advance(2000);
    const claim = { memberId: only.memberId, groupInstanceId: null, generationId: only.generationId };
    const check = (changed: Partial<typeof claim>) =>
      coordinator.checkCommit('g', { ...claim, ...changed }, errorCodes.illegalGeneration);
    assert.equal(check({}), errorCodes.none);
    assert.equal(check({ generationId: claim.generationId - 1 }), errorCodes.illegalGeneration);
    assert.equal(check({ memberId: 'stranger' }), errorCodes.unknownMemberId);
    assert.equal(
      check({ memberId: '', generationId: -1 }),
      errorCodes.unknownMemberId,
      'not while members live',
    );
  });

  test('forgets an id that was handed out and never used', async () => {
    const { time, registry, coordinator, member } = simulated();
    const closed = new AbortController().signal;
    const request = {
      groupId: 'g',
      memberId: '',
      groupInstanceId: null,
      clientId: 'ghost',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: 6000,
      rebalanceTimeoutMs: 5000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      canRejoinWithId: true,
    };
    assert.equal((await coordinator.join(request, closed)).errorCode, errorCodes.memberIdRequired);
    const real = member('real');
    await time.advance(3000);
    assert.equal(registry.get('g')?.state, 'PreparingRebalance', 'the pending id holds the rebalance back');
    await time.advance(4000);
    checkOwners([real], true);
  });

  test('tells nobody its share before the journal remembers it', async () => {
    const durable = deferred();
    const { time, registry, member } = simulated(() => durable.promise);
    const only = member('only');
    await time.advance(3000);
    assert.equal(registry.get('g')?.state, 'CompletingRebalance');
    assert.deepEqual(only.assigned, []);
    durable.resolve();
    await time.advance(1);
    checkOwners([only], true);
  });

  test('has no offsets of a topic that is gone, also when the broker died while it was deleted', async () => {
    const { registry } = simulated();
    const row = { partition: 0, offset: 5, leaderEpoch: -1, metadata: '', committedAtMs: 0 };
    await registry.commit('g', [
      { topic: 'kept', ...row },
      { topic: 'gone', ...row },
    ]);
    await registry.stage('g', 7, [{ topic: 'gone', ...row }]);
    const reborn = simulated();
    for (const entry of registry.dump())
      reborn.registry.replay(JSON.parse(JSON.stringify(entry)) as typeof entry);
    reborn.registry.replayed();
    await reborn.registry.forgetTopicsExcept(topic => topic === 'kept');
    await reborn.registry.endTransaction('g', 7, true);
    assert.deepEqual(
      reborn.registry
        .offsets('g')
        ?.rows()
        .map(({ topic }) => topic),
      ['kept'],
    );
  });

  test('comes back from a restart where it was', async () => {
    const { time, registry, member } = simulated();
    const [first, second] = [member('first'), member('second')];
    await time.advance(3000);
    const dump = registry.dump();
    const reborn = simulated();
    for (const entry of dump) reborn.registry.replay(JSON.parse(JSON.stringify(entry)) as typeof entry);
    reborn.registry.replayed();
    for (const { memberId, generationId } of [first, second]) {
      const claim = { memberId, generationId, groupInstanceId: null };
      assert.equal(reborn.coordinator.heartbeat('g', claim), errorCodes.none);
    }
  });
});

const staticEvery5 = (index: number): { instanceId?: string } =>
  index % 5 === 0 ? { instanceId: `i${index}` } : {};
