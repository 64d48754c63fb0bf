import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { deadLetterHeaders, replayHeaders, topics, topicSettings } from '@tidemark/contracts';

const page = await readFile(new URL('../../../docs/dead-letters.md', import.meta.url), 'utf8');
const named = (prefix: RegExp) =>
  [...page.matchAll(/^\| `([\w-]+)` \|/gm)].map(match => match[1] ?? '').filter(name => prefix.test(name));

test('the page about dead letters names every header that there is, in their order, and no other', () => {
  assert.deepEqual(named(/^tidemark-dlq-/), Object.values(deadLetterHeaders));
  assert.deepEqual(named(/^tidemark-replay/), Object.values(replayHeaders));
});

test('it names every reason that a pipeline gives', async () => {
  const source = await readFile(new URL('../../pipeline/src/item.ts', import.meta.url), 'utf8');
  const union = /export type RejectionReason =([\s\S]*?);\n/.exec(source)?.[1] ?? '';
  const reasons = [...union.matchAll(/\| '(\w+)'/g)].map(match => match[1]);
  assert.ok(reasons.length >= 5);
  assert.deepEqual(
    named(/^[a-z_]+$/).filter(name => reasons.includes(name)),
    reasons,
  );
});

test('the topic has no retention, as the page promises', () => {
  assert.equal(topicSettings[topics.deadLetters]?.['retention.ms'], '-1');
  assert.equal(topicSettings[topics.deadLetters]?.['retention.bytes'], '-1');
});
