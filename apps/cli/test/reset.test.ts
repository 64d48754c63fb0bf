import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createDataFolder, dataFolder } from '../src/data-folder.ts';
import { takeStackLock } from '../src/supervisor/stack-lock.ts';
import { tidemarkHere } from './in-process.ts';

describe('tidemark reset', () => {
  let parent: string;
  let data: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'tidemark reset-'));
    data = join(parent, 'data');
    const folder = dataFolder(data);
    await createDataFolder(folder);
    await mkdir(join(folder.postgres, 'base'), { recursive: true });
    await mkdir(`${folder.postgres}.partial-abc`);
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  const reset = (typed?: string, ...args: string[]) =>
    tidemarkHere(['reset', ...args, '--data', data], typed === undefined ? {} : { typed });

  test('deletes everything once it was told yes', async () => {
    const { code, stdout } = await reset(' Yes ');
    assert.deepEqual([code, stdout], [0, `  deleted ${data}\n`]);
    assert.deepEqual(await readdir(parent), []);
  });

  test('does not ask when told so', async () => {
    assert.equal((await reset(undefined, '--yes')).code, 0);
    assert.deepEqual(await readdir(parent), []);
  });

  for (const typed of ['no', 'y', '', undefined]) {
    test(`deletes nothing when the answer is ${typed === undefined ? 'the end of the input' : `"${typed}"`}`, async () => {
      const { code, stdout } = await reset(typed);
      assert.deepEqual([code, stdout], [1, '  nothing was deleted\n']);
      assert.ok((await readdir(data)).includes('postgres'));
    });
  }

  test('leaves what somebody else put into the folder', async () => {
    await writeFile(join(data, 'notes.txt'), '');
    await reset('yes');
    assert.deepEqual(await readdir(data), ['notes.txt']);
  });

  test('never deletes from a folder that only looks like a stack’s', async () => {
    await rm(join(data, 'tidemark-data.txt'));
    const { code, stdout } = await reset('yes');
    assert.deepEqual([code, stdout], [0, `  there is no data of a stack in ${data}\n`]);
    assert.ok((await readdir(data)).includes('postgres'));
  });

  test('refuses while somebody holds the data, and then works', async () => {
    const lock = await takeStackLock(dataFolder(data).lock);
    const { code, stderr } = await reset('yes');
    assert.equal(code, 1);
    assert.match(stderr, /a stack is already running/);
    await lock.release();
    assert.equal((await reset('yes')).code, 0);
  });
});
