import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '@tidemark/testkit';
import { GroupMember } from './group-member.ts';
import { withTools } from './with-tools.ts';

const patient = { withinMs: 30_000, everyMs: 50 };

await withTools({ title: 'consumer groups with the tools', concurrency: 3 }, tools => {
  const join = (t: TestContext, topic: string, group: string, ...args: string[]) => {
    const member = new GroupMember(tools(), topic, group, ...args);
    t.after(() => member.end('SIGKILL'));
    return member;
  };
  const groups = (...args: string[]) => tools().ok('consumer-groups', args);

  test('kafka-consumer-groups lists, describes, resets and deletes a group', async () => {
    await tools().produce('audit', ['a:0', 'b:1', 'c:2', 'd:3']);
    const read = await tools().consume('audit', { count: 3, group: 'auditors' });
    assert.equal(read.length, 3);
    assert.ok((await groups('--list')).split('\n').includes('auditors'));
    assert.deepEqual(await committed('auditors'), { 'audit-0': { committed: 3, end: 4, lag: 1 } });
    assert.match(await groups('--describe', '--group=auditors', '--state'), /auditors .* Empty\s+0\s*$/m);

    const reset = (...how: string[]) =>
      groups('--reset-offsets', '--group=auditors', '--topic=audit', '--execute', ...how);
    await reset('--to-earliest');
    assert.equal((await committed('auditors'))['audit-0']?.committed, 0);
    await reset('--shift-by=2');
    assert.equal((await committed('auditors'))['audit-0']?.committed, 2);
    const rest = await tools().consume('audit', { count: 2, group: 'auditors', from: [] });
    assert.deepEqual(
      rest.map(({ value }) => value),
      ['2', '3'],
    );
    await groups('--reset-offsets', '--group=passing', '--topic=audit', '--to-latest', '--execute');
    assert.match(
      await groups('--delete-offsets', '--group=passing', '--topic=audit'),
      /audit\s+0\s+Successful/,
    );
    assert.match(await groups('--delete', '--group=auditors'), /was successful/);
    assert.ok(!(await groups('--list')).split('\n').includes('auditors'));
  });

  test('two members share the partitions; when one is killed the other takes over and nothing is left out', async t => {
    await tools().createTopic('shared', 4);
    const first = join(t, 'shared', 'team');
    await eventually('the first member has all', () => first.owned.size === 4, patient);
    const second = join(t, 'shared', 'team');
    await eventually(
      'each has two',
      () => first.owned.size === 2 && second.owned.size === 2 && disjoint(first, second),
      patient,
    );
    const described = await groups('--describe', '--group=team', '--members', '--verbose');
    assert.equal(described.match(/^team .*\s2\s.*\d,\d/gm)?.length, 2, described);
    await tools().produce('shared', keyed(200));
    await eventually(
      'both were handed records, all of them',
      () => first.consumed + second.consumed >= 200,
      patient,
    );
    assert.ok(first.consumed > 0 && second.consumed > 0);

    const refused = await tools().run('consumer-groups', ['--delete', '--group=team']);
    assert.match(refused.stdout + refused.stderr, /GroupNotEmptyException/);

    await first.end('SIGKILL');
    await eventually('the second has all', () => second.owned.size === 4, patient);
    await tools().produce('shared', keyed(200));
    await eventually(
      'everything is committed',
      async () => {
        const partitions = Object.values(await committed('team'));
        return partitions.length === 4 && partitions.every(({ lag }) => lag === 0);
      },
      patient,
    );
    assert.equal(total(await committed('team')), 400);
    await second.end('SIGTERM');
    assert.match(await groups('--describe', '--group=team', '--state'), /team .* Empty\s+0\s*$/m);
  });

  test('a cooperative rebalance takes from a member only what goes to another', async t => {
    await tools().createTopic('cooperative', 4);
    const strategy = '--assignment-strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor';
    const first = join(t, 'cooperative', 'crew', strategy);
    await eventually('the first member has all', () => first.owned.size === 4, patient);
    const second = join(t, 'cooperative', 'crew', strategy);
    await eventually('each has two', () => first.owned.size === 2 && second.owned.size === 2, patient);
    assert.deepEqual(new Set(first.revoked), second.owned);
    assert.equal(first.revoked.length, 2);
    await second.end('SIGTERM');
    await eventually('the first has all again', () => first.owned.size === 4, patient);
  });

  test('a static member that restarts takes its partitions back without disturbing the others', async t => {
    await tools().createTopic('static', 4);
    const other = join(t, 'static', 'staff', '--group-instance-id=other');
    await eventually('the first member has all', () => other.owned.size === 4, patient);
    const restarting = join(t, 'static', 'staff', '--group-instance-id=restarting');
    await eventually('each has two', () => other.owned.size === 2 && restarting.owned.size === 2, patient);
    const before = new Set(restarting.owned);
    const disturbances = other.revoked.length;
    await restarting.end('SIGKILL');
    const returned = join(t, 'static', 'staff', '--group-instance-id=restarting');
    await eventually('it is back', () => returned.owned.size === 2, patient);
    assert.deepEqual(returned.owned, before);
    assert.equal(other.revoked.length, disturbances);
  });

  interface Progress {
    readonly committed: number;
    readonly end: number;
    readonly lag: number;
  }

  /** kafka-consumer-groups --describe, by partition. */
  async function committed(group: string): Promise<Readonly<Record<string, Progress>>> {
    const rows = (await groups('--describe', `--group=${group}`)).matchAll(
      new RegExp(`^${group}\\s+(\\S+)\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)\\s`, 'gm'),
    );
    return Object.fromEntries(
      [...rows].map(([, topic, partition, committed, end, lag]) => [
        `${topic}-${partition}`,
        { committed: Number(committed), end: Number(end), lag: Number(lag) },
      ]),
    );
  }
});

// Functions, not constants: the first tests run while the tools of the next meeting are still being fetched.

function keyed(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `key-${index}:${index}`);
}

function disjoint(a: GroupMember, b: GroupMember): boolean {
  return [...a.owned].every(partition => !b.owned.has(partition));
}

function total(progress: Readonly<Record<string, { readonly committed: number }>>): number {
  return Object.values(progress).reduce((sum, { committed }) => sum + committed, 0);
}
