import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { eventually } from '@tidemark/testkit';
import { run, skipWithout } from '../src/programs.ts';
import { movedBy, readmeBlocks } from '../src/readme.ts';
import { freePortOffset } from '../src/stack.ts';
import { copyRepository } from '../src/working-copy.ts';

/** What a block must print, by words that stand in it; a block of the README that is not listed here fails the test. */
const expectations: readonly (readonly [inBlock: string, printed: RegExp, needs?: string])[] = [
  ['psql ', /INSERT 0 1[\s\S]*UPDATE 1[\s\S]*DELETE 1/, 'psql'],
  ['kcat ', /"type":"INSERT"[\s\S]*"action":"db_change"[\s\S]*cdc_events_total\{table="users"/, 'kcat'],
  ['/api/auth/login', /"type":"DELETE"[\s\S]*# TYPE process_cpu_seconds_total counter[\s\S]*"sre-cdc"/],
  [
    '/events/batch',
    /"produced":1000[\s\S]*pipeline_unaccounted_events\{.*\} 0[\s\S]*reviews-to-postgres[\s\S]*events\.main/,
  ],
  ['kill -9', /^$/],
  ['./tidemark status', /capture +ready/],
];

describe('the README, typed into a clean clone', () => {
  const [first = '', ...blocks] = readmeBlocks();
  let clone: string;
  let portOffset: number;
  let stack: ChildProcess;
  let said = '';
  before(async () => {
    clone = await copyRepository();
    portOffset = await freePortOffset();
  });
  after(async () => {
    stack?.kill('SIGKILL');
    await run('./tidemark', ['down'], { cwd: clone });
    await run('./tidemark', ['reset', '--yes'], { cwd: clone });
    await rm(clone, { recursive: true, force: true });
  });

  test('begins with the two commands', () => {
    assert.match(first, /^\.\/run\.sh .*\n\.\/test\.sh .*\n$/);
  });

  test('./run.sh installs, starts everything, and says where it is', async () => {
    const env = { ...process.env, DATABASE_URL: '', KAFKA_BROKERS: '' };
    stack = spawn('./run.sh', ['--port-offset', String(portOffset)], { cwd: clone, env });
    stack.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    stack.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await eventually(
      'it is ready',
      () => {
        if (stack.exitCode !== null) throw new Error(`./run.sh ended with ${stack.exitCode}: ${said}`);
        return said.includes('Three things to try') && /-c 1\n/.test(said);
      },
      { withinMs: 240_000, everyMs: 100 },
    ).catch((error: unknown) => {
      throw new Error(`./run.sh said: ${said}`, { cause: error });
    });
    assert.match(said, /Ready in [\d.]+ s/);
    assert.match(said, /admin@example\.com \/ admin123/);
  });

  for (const block of blocks) {
    const expected = expectations.find(([word]) => block.includes(word));
    const title = `then ${block.trim().split('\n')[0]}`;
    test(title, { skip: expected?.[2] === undefined ? false : skipWithout(expected[2]) }, async () => {
      assert.ok(expected, 'the README shows commands that this test does not know');
      // A person who is too early looks again; so does this. Commands that write must succeed at once.
      const patience = /psql|POST|kill/.test(block) ? 1 : 20_000;
      await eventually(
        `it prints ${expected[1]}`,
        async () => {
          const { code, stdout, stderr } = await run('sh', ['-eu', '-c', movedBy(portOffset, block)], {
            cwd: clone,
          });
          assert.equal(code, 0, `${stdout}\n${stderr}`);
          assert.match(stdout, expected[1]);
          return true;
        },
        { withinMs: patience, everyMs: 200 },
      );
    });
  }

  test('Ctrl-C stops everything within ten seconds', async () => {
    const pids = await servicePids();
    const begun = performance.now();
    const exited = once(stack, 'exit') as Promise<[number | null]>;
    stack.kill('SIGINT');
    const [code] = await exited;
    assert.equal(code, 0, said);
    assert.ok(performance.now() - begun < 10_000);
    assert.deepEqual(pids.filter(isAlive), []);
  });

  async function servicePids(): Promise<readonly number[]> {
    const { stdout } = await run('./tidemark', ['status', '--json'], { cwd: clone });
    const { services } = JSON.parse(stdout) as { services: { pid: number | null }[] };
    const pids = services.map(({ pid }) => pid).filter(pid => pid !== null);
    assert.equal(pids.length, 7);
    return pids;
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
