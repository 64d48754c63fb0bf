import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { identify } from '../src/supervisor/process-identity.ts';
import { stackHolder, takeStackLock } from '../src/supervisor/stack-lock.ts';
import { fixture } from './stand-in-service.ts';

describe('stack lock', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-lock-'));
    file = join(folder, 'lock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('is held by one, told to the other, and free after its release', async () => {
    assert.equal(await stackHolder(file), undefined);
    const lock = await takeStackLock(file);
    assert.deepEqual(await stackHolder(file), await identify(process.pid));
    await assert.rejects(takeStackLock(file), {
      code: 'STACK_RUNNING',
      message: new RegExp(`process ${process.pid}`),
    });
    await lock.release();
    assert.equal(await stackHolder(file), undefined);
    await (await takeStackLock(file)).release();
  });

  for (const [what, content] of [
    ['of a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, started: '1' })],
    ['of a process whose id was used again', JSON.stringify({ pid: process.pid, started: 'another time' })],
    ['that a full disk cut short', ''],
  ] as const) {
    test(`is taken over from a lock ${what}`, async () => {
      await writeFile(`${file}.7`, content);
      const lock = await takeStackLock(file);
      assert.deepEqual(await readdir(folder), ['lock.8']);
      await lock.release();
    });
  }

  test('goes to exactly one of many that take over a dead holder at once', async () => {
    for (let round = 0; round < 20; round += 1) {
      await writeFile(`${file}.${round * 100 + 1}`, JSON.stringify({ pid: 2 ** 22 + 1, started: '1' }));
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => takeStackLock(file)));
      const holders = outcomes.filter(outcome => outcome.status === 'fulfilled');
      assert.equal(holders.length, 1, `round ${round}`);
      for (const holder of holders) await holder.value.release();
    }
  });

  test('goes to exactly one of several processes', async () => {
    await writeFile(`${file}.1`, JSON.stringify({ pid: 2 ** 22 + 1, started: '1' }));
    const contend = () => promisify(execFile)(process.execPath, [fixture('contender.ts'), file]);
    const answers = await Promise.all([contend(), contend(), contend()]);
    assert.deepEqual(answers.map(({ stdout }) => stdout).toSorted(), [
      'STACK_RUNNING',
      'STACK_RUNNING',
      'taken',
    ]);
  });
});
