import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tidemarkHere } from './in-process.ts';
import { tidemark } from './tidemark.ts';

const benchFolder = fileURLToPath(new URL('../../../bench/', import.meta.url));

describe('tidemark bench', () => {
  test('lists what the table names, and the table names only what is there', async () => {
    const { code, stdout } = await tidemarkHere(['bench']);
    assert.equal(code, 0);
    const table = JSON.parse(await readFile(`${benchFolder}benchmarks.json`, 'utf8')) as { name: string }[];
    const scripts = await readdir(`${benchFolder}src`);
    for (const { name } of table) {
      assert.match(stdout, new RegExp(`^ {2}${name} +\\S`, 'm'));
      assert.ok(scripts.includes(`${name}.ts`), `bench/src has ${name}.ts`);
    }
  });

  test('help lists them too, and shows the options of one, asked either way', async () => {
    assert.match((await tidemarkHere(['help', 'bench'])).stdout, /^ {2}bench sink +\S/m);
    const [asked, flagged] = await Promise.all([
      tidemarkHere(['help', 'bench', 'sink']),
      tidemarkHere(['bench', 'sink', '--help']),
    ]);
    assert.match(
      asked.stdout,
      /^Usage: tidemark bench sink \[--brokers HOST:PORT\] \[--events N\] \[--preload N\] \[--runs N\] \[--ids ORDERS\]\n/,
    );
    assert.equal(flagged.stdout, asked.stdout);
  });

  for (const [args, says, hint] of [
    [['bench', 'frobnicate'], 'there is no bench frobnicate', /^ {2}There are start, .*\bsink\b.*\.$/],
    [['help', 'bench', 'frobnicate'], 'there is no bench frobnicate', /^ {2}There are start, /],
    [['bench', 'order', '--events', '7'], "Unknown option '--events'", /^ {2}Usage: tidemark bench order$/],
    [['bench', 'sink', 'fast'], 'unexpected argument fast', /^ {2}Usage: tidemark bench sink /],
    [['bench', '--events', '7'], "Unknown option '--events'", /^ {2}Usage: tidemark bench \[NAME\]$/],
  ] as const) {
    test(`${args.join(' ')}: one line says what is wrong, exit code 2`, async () => {
      const { code, stdout, stderr } = await tidemarkHere(args);
      const [first, second, ...rest] = stderr.split('\n');
      assert.deepEqual([code, stdout, first, rest], [2, '', `tidemark: ${says}`, ['']]);
      assert.match(second ?? '', hint);
    });
  }

  test('runs the benchmark as a program of its own, with the options and with its exit code', async () => {
    const { code, stdout, stderr } = await tidemark(['bench', 'broker', '--runs', '0']);
    assert.deepEqual(
      [code, stdout, stderr],
      [2, '', 'bench broker: --runs takes a whole number from 1 to 99, not "0"\n'],
    );
  });
});
