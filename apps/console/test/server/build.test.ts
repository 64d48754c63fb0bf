import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { buildIfStale } from '../../src/build.ts';

/** Bytes over the wire until a page can be used; routes load the rest when they are opened. */
const firstLoadBytesMax = 200_000;

describe('the build', () => {
  let folder: string;
  let dist: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-build-'));
    dist = join(folder, 'dist');
  });
  after(() => rm(folder, { recursive: true }));

  test('runs once and not again while the sources stay the same', async () => {
    assert.equal((await buildIfStale({ dist })).built, true);
    const page = await stat(join(dist, 'index.html'));
    assert.equal((await buildIfStale({ dist })).built, false);
    assert.equal((await stat(join(dist, 'index.html'))).mtimeMs, page.mtimeMs);
    assert.deepEqual(await readdir(folder), ['dist'], 'no working folder is left behind');
  });

  test('runs again when what it was built from is not what is there', async () => {
    await writeFile(join(dist, '.sources'), 'other sources');
    assert.equal((await buildIfStale({ dist })).built, true);
  });

  test('run twice at once gives one whole result', async () => {
    const twice = join(folder, 'twice');
    await Promise.all([buildIfStale({ dist: twice }), buildIfStale({ dist: twice })]);
    assert.equal((await buildIfStale({ dist: twice })).built, false);
    assert.match(await readFile(join(twice, 'index.html'), 'utf8'), /<div id="root">/);
    await rm(twice, { recursive: true });
  });

  test('puts an equal gzip copy beside each text file', async () => {
    const names = await readdir(join(dist, 'assets'));
    const scripts = names.filter(name => /\.(?:js|css)$/.test(name));
    assert.ok(scripts.length > 5);
    for (const name of scripts) {
      const plain = await readFile(join(dist, 'assets', name));
      assert.deepEqual(gunzipSync(await readFile(join(dist, 'assets', `${name}.gz`))), plain, name);
    }
  });

  test('keeps the first load within its budget and asks no other host', async () => {
    const page = await readFile(join(dist, 'index.html'), 'utf8');
    const first = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(match => match[1] ?? '');
    const sizes = await Promise.all(first.map(async path => (await stat(join(dist, `${path}.gz`))).size));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(first.length >= 2, 'the page names its script and its style');
    assert.ok(total < firstLoadBytesMax, `the first load is ${total} bytes`);
    assert.doesNotMatch(page, /(?:src|href)="(?:https?:)?\/\//);
  });
});
