import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { endProcess, eventually } from '@tidemark/testkit';
import { findProgram, runOk, skipWithout } from '../../src/programs.ts';
import { storedCodecs } from '../protocol-probe.ts';
import { apacheKafka, embedded, onBroker } from '../targets.ts';

const skip = skipWithout('kcat');
const kcat = findProgram('kcat') ?? 'kcat';

for (const target of [embedded, await apacheKafka('4')]) {
  onBroker(target, { title: 'kcat', skip, concurrency: 4 }, broker => {
    const run = (args: readonly string[], input = '') =>
      runOk(kcat, ['-b', broker().bootstrap, ...args], { input, withinMs: 30_000 });
    const produce = (topic: string, lines: readonly string[], ...args: string[]) =>
      run(['-P', '-t', topic, '-K:', ...args], `${lines.join('\n')}\n`);
    const consume = async (topic: string, ...args: string[]) => {
      const printed = await run([
        '-C',
        '-t',
        topic,
        '-o',
        'beginning',
        '-e',
        '-q',
        '-f',
        '%o|%k|%s|%h\n',
        ...args,
      ]);
      return printed.split('\n').filter(line => line !== '');
    };

    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      test(`writes and reads with ${codec}, and the broker keeps the codec`, async () => {
        const topic = `codec-${codec}`;
        await produce(topic, lines(300), `-z${codec}`, '-p0', '-H', 'origin=kcat');
        assert.deepEqual(
          await consume(topic),
          lines(300).map((line, index) => `${index}|${line.replace(':', '|')}|origin=kcat`),
        );
        assert.deepEqual(await storedCodecs(broker().bootstrap, topic), [codec]);
      });
    }

    test('writes idempotently', async () => {
      await produce(
        'idempotent',
        lines(1000),
        '-X',
        'enable.idempotence=true',
        '-X',
        'batch.num.messages=10',
      );
      assert.deepEqual(await consume('idempotent', '-f', '%k:%s\n'), lines(1000));
    });

    test('writes in a transaction, which ends with a marker at an offset of its own', async () => {
      for (const round of [1, 2]) {
        await produce('transactional', lines(10), '-p0', '-X', 'transactional.id=kcat');
        const read = await consume('transactional', '-X', 'isolation.level=read_committed', '-f', '%k:%s\n');
        assert.equal(read.length, round * 10);
      }
      assert.equal((await run(['-Q', '-t', 'transactional:0:-1'])).trim(), 'transactional [0] offset 22');
    });

    test('starts at a time, an offset, or a distance from the end', async () => {
      await produce('moments', ['a:0', 'b:1'], '-p0');
      await produce('moments', ['c:2', 'd:3'], '-p0');
      const times = (await consume('moments', '-f', '%T\n')).map(Number);
      assert.ok((times[2] ?? 0) > (times[1] ?? 0), 'another program start, another time');
      assert.deepEqual(await consume('moments', '-p0', '-o', `s@${times[2]}`, '-f', '%s\n'), ['2', '3']);
      assert.deepEqual(await consume('moments', '-p0', '-o', `e@${times[2]}`, '-f', '%s\n'), ['0', '1']);
      assert.deepEqual(await consume('moments', '-p0', '-o', '3', '-f', '%s\n'), ['3']);
      assert.deepEqual(await consume('moments', '-p0', '-o', '-1', '-f', '%s\n'), ['3']);
      assert.match(await run(['-Q', '-t', `moments:0:${times[2]}`]), /moments \[0\] offset 2/);
    });

    test('lists brokers, topics and partitions', async () => {
      await produce('listed', ['a:0']);
      const told = JSON.parse(await run(['-L', '-J'])) as {
        brokers: { name: string }[];
        topics: { topic: string; partitions: object[] }[];
      };
      assert.deepEqual(
        told.brokers.map(({ name }) => name),
        [broker().bootstrap],
      );
      const topic = told.topics.find(candidate => candidate.topic === 'listed');
      assert.deepEqual(topic?.partitions, [
        { partition: 0, leader: 1, replicas: [{ id: 1 }], isrs: [{ id: 1 }] },
      ]);
    });

    test('consumes in a group, goes on where the group ended, and hands over when a member leaves', async t => {
      await produce('grouped', lines(50), '-p0');
      const join = () => {
        const member = new GroupConsumer(broker().bootstrap, 'crowd', 'grouped');
        t.after(() => member.end());
        return member;
      };
      const first = join();
      await eventually('all is read', () => first.values.length === 50, patient);
      const second = join();
      await eventually('the second waits as a member', () => second.assignments > 0, patient);
      await first.end();
      await produce('grouped', ['late:late'], '-p0');
      await eventually('one of them reads on', () => second.values.length > 0, patient);
      assert.deepEqual(second.values, ['late'], 'what the first had committed is not read again');
    });
  });
}

const patient = { withinMs: 30_000, everyMs: 50 };

const lines = (count: number) =>
  Array.from({ length: count }, (_, index) => `key-${index % 5}:value ${index} ${'tide '.repeat(20)}`);

/** kcat as a member of a consumer group. */
class GroupConsumer {
  readonly #process;
  readonly values: string[] = [];
  /** How often it was told its partitions, none included. */
  assignments = 0;

  constructor(bootstrap: string, group: string, topic: string) {
    const settings = ['auto.offset.reset=earliest', 'session.timeout.ms=6000', 'auto.commit.interval.ms=200'];
    this.#process = spawn(
      kcat,
      ['-b', bootstrap, '-G', group, '-u', '-f', '%s\n', ...settings.flatMap(one => ['-X', one]), topic],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    createInterface(this.#process.stdout).on('line', line => this.values.push(line));
    createInterface(this.#process.stderr).on('line', line => {
      if (line.includes('assigned:')) this.assignments += 1;
    });
  }

  /** Lets it leave the group and end. */
  end(): Promise<void> {
    return endProcess(this.#process, 'SIGTERM');
  }
}
