import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { inWaves, type Step } from '../src/supervisor/step.ts';

const step = (name: string, needs: readonly string[]): Step => ({
  kind: 'task',
  name,
  needs,
  run: () => Promise.resolve(''),
});

/** Steps that need only earlier ones, in any order. */
const acyclic = fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { maxLength: 12 }).chain(all => {
  const steps = all.map((needs, index) =>
    step(
      `s${index}`,
      needs.filter(need => need < index).map(need => `s${need}`),
    ),
  );
  return fc.shuffledSubarray(steps, { minLength: steps.length });
});

describe('waves of steps', () => {
  test('hold every step once, after all that it needs', () => {
    fc.assert(
      fc.property(acyclic, steps => {
        const waves = inWaves(steps);
        const waveOf = new Map(
          waves.flatMap((wave, index) => wave.map(({ name }) => [name, index] as const)),
        );
        assert.equal(waveOf.size, steps.length);
        for (const { name, needs } of steps) {
          for (const need of needs) assert.ok((waveOf.get(need) ?? 0) < (waveOf.get(name) ?? 0));
        }
      }),
    );
  });

  test('do not wait for what is not part of the stack', () => {
    assert.deepEqual(inWaves([step('alone', ['left out'])]).flat().length, 1);
  });

  test('refuse steps that need each other in a circle', () => {
    assert.throws(() => inWaves([step('a', ['b']), step('b', ['a'])]), /circle: a, b/);
  });
});
