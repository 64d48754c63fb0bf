import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import * as fc from 'fast-check';
import { SpoolSpace } from '../src/stream/spool-space.ts';
import { TransactionSpool } from '../src/stream/transaction-spool.ts';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

suite(`the file of a transaction (TEST_SEED=${seed})`, () => {
  let folder: string;
  let count = 0;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-spool-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const message = fc.record({
    part: fc.constantFrom(1, 2, 3, 4_294_967_295),
    letter: fc.constantFrom(0x49, 0x55),
    length: fc.oneof(fc.nat(50), fc.nat(5000), fc.constantFrom(262_144, 700_000, 1_200_000)),
  });

  test('gives back every message of the parts that were not rolled back, whatever their sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 40 }),
        fc.uniqueArray(fc.constantFrom(1, 2, 3, 4_294_967_295)),
        async (messages, aborted) => {
          const space = new SpoolSpace(folder, Number.MAX_SAFE_INTEGER);
          const spool = new TransactionSpool(join(folder, String((count += 1))), space);
          for (const [at, { part, letter, length }] of messages.entries()) {
            const bytes = Buffer.alloc(5 + length, at);
            await spool.append(part, letter, bytes, 5);
          }
          for (const part of aborted) spool.abort(part);
          const seen: string[] = [];
          await spool.replay((bytes, start) => {
            seen.push(`${bytes[start]} ${bytes[start + 1] ?? ''}`);
            return undefined;
          });
          const kept = [...messages.entries()].filter(([, { part }]) => !aborted.includes(part));
          const firstBytes = kept.map(([at, { letter, length }]) => [letter, length === 0 ? undefined : at]);
          for (const [index, [letter, at]] of firstBytes.entries()) {
            assert.ok(
              seen[index]?.startsWith(at === undefined ? `${letter} ` : `${letter} ${at}`),
              `message ${index}`,
            );
          }
          assert.equal(seen.length, kept.length);
          await spool.discard();
          assert.equal(space.bytes, 0);
          assert.deepEqual(readdirSync(folder), []);
        },
      ),
      { seed, numRuns: 40 },
    );
  });

  test('is refused room beyond what was granted, with the remedy', async () => {
    const spool = new TransactionSpool(join(folder, 'full'), new SpoolSpace(folder, 300_000));
    const fill = async () => {
      for (let at = 0; at < 10; at += 1) await spool.append(1, 0x49, Buffer.alloc(100_000), 5);
    };
    await assert.rejects(fill(), { code: 'SPOOL_FULL', hint: /CAPTURE_DATA_DIR/ });
    await spool.discard();
    assert.deepEqual(readdirSync(folder), []);
  });

  test('that cannot be written is as one for which there is no room', async () => {
    const spool = new TransactionSpool(join(folder, 'missing', 'file'), new SpoolSpace(folder, 1e9));
    const fill = async () => {
      for (let at = 0; at < 10; at += 1) await spool.append(1, 0x49, Buffer.alloc(100_000), 5);
    };
    await assert.rejects(fill(), { code: 'SPOOL_FULL', message: /ENOENT/ });
  });
});
