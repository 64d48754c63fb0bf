import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { featureList } from '../src/features.ts';

const page = new URL('../docs/features.md', import.meta.url);

if (process.argv.includes('--write')) await writeFile(page, featureList());

test('the committed feature list is what the code says', async () => {
  assert.equal(await readFile(page, 'utf8'), featureList());
});
