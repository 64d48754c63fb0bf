import process from 'node:process';
import { parseArgs } from 'node:util';
import { simulate } from './simulate.ts';

/** `--seed N` replays one run, `--seeds N` runs many, `--from N` chooses the first. Exit code 1 when a promise was broken. */
const { values } = parseArgs({
  options: { seed: { type: 'string' }, seeds: { type: 'string' }, from: { type: 'string' } },
});
const first = Number(values.seed ?? values.from ?? 1);
const count = values.seed === undefined ? Number(values.seeds ?? 2000) : 1;
let events = 0;
let failed = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const result = await simulate(seed);
  events += result.events;
  if (result.violations.length === 0) continue;
  failed += 1;
  process.stdout.write(`seed ${seed}:\n${result.violations.map(violation => `  ${violation}\n`).join('')}`);
}
process.stdout.write(`${count} runs, ${events} events, ${failed} runs broke a promise\n`);
process.exitCode = failed === 0 ? 0 : 1;
