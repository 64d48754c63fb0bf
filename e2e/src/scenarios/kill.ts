import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '@tidemark/testkit';
import { storeFaults } from '../rebuild.ts';
import type { Stack } from '../stack.ts';
import { probeTable, Writer } from '../writer.ts';

import type { Scenario } from './scenario.ts';

/** Kills services with SIGKILL, one after the other, while rows are written without a pause. */
export function killWhileChangesFlow(
  { title, start, skip = false }: Scenario,
  victims: readonly string[],
): void {
  describe(title, { skip }, () => {
    let stack: Stack;
    before(async () => {
      stack = await start();
    });
    after(() => stack?.stop());

    test('loses nothing, doubles nothing, keeps the order of every key', async t => {
      const writer = new Writer(stack);
      await writer.start();
      for (const victim of victims) {
        const acknowledged = writer.acknowledged;
        await eventually('changes flow', () => writer.acknowledged > acknowledged + 20);
        const before = await find(victim);
        process.kill(before.pid, 'SIGKILL');
        await eventually(
          `${victim} is back`,
          async () => {
            const now = await find(victim);
            return now.pid !== before.pid && now.answer === 'ready';
          },
          { withinMs: 60_000, everyMs: 100 },
        );
        t.diagnostic(`${victim} was killed and came back`);
      }
      await writer.stop();
      await eventually('the newest version of every row is in the store', () => writer.caughtUp(), {
        withinMs: 60_000,
        everyMs: 200,
      });
      t.diagnostic(`${writer.acknowledged} changes were acknowledged to the writer`);
      assert.deepEqual(await writer.differences(), []);
      assert.deepEqual(await storeFaults(stack, probeTable), { doubled: 0, out_of_order: 0 });
    });

    async function find(name: string) {
      const service = (await stack.status()).find(candidate => candidate.name === name);
      return { pid: service?.pid ?? 0, answer: service?.answer ?? 'unknown' };
    }
  });
}
