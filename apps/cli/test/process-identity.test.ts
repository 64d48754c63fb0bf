import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { identify, isRunning, killGroup, signalProcess } from '../src/supervisor/process-identity.ts';
import { memoryOf } from '../src/supervisor/process-memory.ts';

describe('process identity', () => {
  let child: ChildProcess;
  beforeEach(async () => {
    child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    if (child.stdout) await once(child.stdout, 'data');
  });
  afterEach(() => void child.kill('SIGKILL'));

  const identified = async (platform?: string) => {
    const identity = await identify(child.pid ?? 0, platform);
    assert.ok(identity);
    return identity;
  };

  for (const platform of [process.platform, 'darwin']) {
    test(`is the same as long as the process runs, and nothing after (asked as on ${platform})`, async () => {
      const first = await identified(platform);
      assert.deepEqual(await identify(child.pid ?? 0, platform), first);
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      assert.equal(await identify(child.pid ?? 0, platform), undefined);
    });
  }

  test('what ps answers does not depend on the time zone and language of who asks', async () => {
    const before = await identified('darwin');
    const { TZ, LC_ALL } = process.env;
    process.env['TZ'] = 'Asia/Tokyo';
    process.env['LC_ALL'] = 'C.UTF-8';
    try {
      assert.deepEqual(await identified('darwin'), before);
    } finally {
      restore('TZ', TZ);
      restore('LC_ALL', LC_ALL);
    }
  });

  test('a signal reaches the process that is meant', async () => {
    const ended = once(child, 'exit');
    assert.equal(await signalProcess(await identified(), 'SIGTERM'), true);
    await ended;
    assert.equal(child.signalCode, 'SIGTERM');
  });

  test('a process that was given the id of another one is never touched', async () => {
    const other = { pid: child.pid ?? 0, started: 'earlier' };
    assert.equal(await signalProcess(other, 'SIGKILL'), false);
    assert.equal(await killGroup(other), false);
    assert.equal(await isRunning(await identified()), true);
  });

  test('a process that is gone takes no signal', async () => {
    const identity = await identified();
    const ended = once(child, 'exit');
    assert.equal(await killGroup(identity), true);
    await ended;
    assert.equal(await signalProcess(identity, 'SIGTERM'), false);
  });

  test('tells how much memory a process uses', async () => {
    const bytes = await memoryOf(child.pid ?? 0);
    assert.ok(bytes !== null && bytes > 1_000_000 && bytes < 1_000_000_000, String(bytes));
    assert.equal(await memoryOf(2 ** 22 + 1), null);
  });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
