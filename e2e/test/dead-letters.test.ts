import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '@tidemark/testkit';
import { run } from '../src/programs.ts';
import { documentBlocks, movedBy } from '../src/readme.ts';
import { repository, type Stack, startStack } from '../src/stack.ts';

/** What each block of a page must print; a block that is not listed here fails the test. */
const expectations: Readonly<Record<string, readonly (readonly [inBlock: string, printed: RegExp])[]>> = {
  'docs/dead-letters.md': [
    ['8000/events', /"rating":-5/],
    [
      'list --key user:poison --from',
      /reviews-to-postgres +events\.main\/\d@\d+ +user:poison +open +0 +business_rule/,
    ],
    ['ID=', /status +open[\s\S]*a replay +would be refused again: payload\.rating is -5/],
    ['dlq edit', /edited; a replay sends the new payload/],
    ['replay "$ID"', /would be sent back: 1 dead letter[\s\S]*^ {2}sent back: 1 dead letter$/m],
    ['grep log', /edit by \S+: the form counted backwards\n[\s\S]*replay by \S+: the rating is right now/],
    ['audit --pipeline', /The books balance\./],
    ['./tidemark produce', /400 events in [\d.]+ s, \d+ a second; seed 7/],
    ['list --reason invalid', /invalid +invalid: (?:event_id|payload\.rating) must be/],
    ['--reason undecodable', /^ {2}sent back: [1-9]\d* dead letters$/m],
    [
      'dlq discard',
      /would be discarded: [1-9]\d* dead letters[\s\S]*^ {2}discarded: [1-9]\d* dead letters$/m,
    ],
    ['TOKEN=', /"status":"open"[\s\S]*"dryRun":true,"sent":\["/],
    ['dlq rebuild', /[1-9]\d* dead letters in the topic, 0 were missing in the table/],
  ],
  'docs/books.md': [
    ['tidemark audit', /dead-letters-to-postgres[\s\S]*The books balance\.[\s\S]*"balanced": true/],
    ['tidemark lag', /streamsre-consumer +events\.main\/0[\s\S]*"group": "streamsre-consumer"/],
  ],
};

describe('the pages about dead letters and books, typed on a running stack', () => {
  let stack: Stack;
  /** What the shell of a reader would still know. */
  let known = '';
  before(async () => {
    stack = await startStack({ args: ['--only', 'api,consumer,producer'] });
  });
  after(() => stack?.stop());

  const type = (block: string) => {
    const prelude = `tidemark() { ${repository}/tidemark "$@" --data ${stack.data}; }\n${known}\n`;
    const script = movedBy(stack.portOffset, block).replaceAll('./tidemark ', 'tidemark ');
    const env = { DATABASE_URL: '', KAFKA_BROKERS: '' };
    return run('sh', ['-eu', '-c', `${prelude}${script}\necho "ID is $\{ID:-}"`], { cwd: repository, env });
  };

  for (const [page, blocks] of Object.entries(expectations)) {
    for (const block of documentBlocks(page)) {
      const [, printed] = blocks.find(([word]) => block.includes(word)) ?? [];
      test(`${page}: ${block.trim().split('\n')[0]}`, async () => {
        assert.ok(printed, 'the page shows commands that this test does not know');
        // A person who is too early looks again; so does this. What changes something must succeed at once.
        const patience = /POST|edit|replay "|discard|produce/.test(block) ? 1 : 20_000;
        const stdout = await eventually(
          `it prints ${printed}`,
          async () => {
            const outcome = await type(block);
            assert.equal(outcome.code, 0, `${outcome.stdout}\n${outcome.stderr}`);
            assert.match(outcome.stdout, printed);
            return outcome.stdout;
          },
          { withinMs: patience, everyMs: 200 },
        );
        known = /^ID is (.+)$/m.exec(stdout)?.[1]?.replace(/^/, 'ID=') ?? known;
      });
    }
  }

  test('the poison became a review, exactly one, and everything that was sent is accounted for', async () => {
    const reviews = await stack.query(`SELECT rating, text FROM reviews WHERE user_key = 'user:poison'`);
    assert.deepEqual(reviews, [{ rating: 5, text: 'works well' }]);
    const metrics = await (await fetch(`${stack.http('consumer')}/metrics`)).text();
    const unaccounted = [...metrics.matchAll(/^pipeline_unaccounted_events\{[^}]*\} (\S+)$/gm)].map(
      match => match[1],
    );
    assert.deepEqual(new Set(unaccounted), new Set(['0']));
  });

  test('a lost review makes the audit name its offset, and end with exit code 1', async () => {
    const [lost] = await stack.query<{ event_id: string }>(
      `DELETE FROM processed_events WHERE event_id = (SELECT min(event_id::text)::uuid FROM processed_events)
       RETURNING event_id`,
    );
    assert.ok(lost);
    const { code, stdout } = await run(`${repository}/tidemark`, ['audit', '--data', stack.data], {
      env: { DATABASE_URL: '', KAFKA_BROKERS: '' },
    });
    assert.equal(code, 1, stdout);
    assert.match(stdout, /reviews-to-postgres events\.main\/\d offset \d+: no effect and no dead letter/);
    assert.match(stdout, /The books do not balance/);
  });
});
