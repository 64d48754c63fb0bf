import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { seededRandom } from '@tidemark/kernel';
import { Journal } from '../src/storage/journal.ts';
import { crashingDisk } from './crashing-disk.ts';

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('set' as const), key: fc.nat(9), value: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), seed: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const) }) },
  ),
  { maxLength: 60 },
);

describe('the journal', () => {
  test('remembers every acknowledged entry through new files, stops and power failures', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async plan => {
        const disk = crashingDisk();
        let state = new Map<number, unknown>();
        const open = async () => {
          state = new Map();
          const journal = new Journal(disk, '/journal', {
            sync: true,
            bytesMax: 300,
            dump: () => [...state].map(([key, value]) => ({ kind: 'set', key, value })),
            warn() {},
          });
          await journal.load(entry => state.set(entry['key'] as number, entry['value']));
          await journal.start();
          return journal;
        };
        let journal = await open();
        const acknowledged = new Map<number, unknown>();
        for (const step of plan) {
          if (step.do === 'set') {
            const { key, value } = step;
            state.set(key, value);
            await journal.append([{ kind: 'set', key, value }]);
            acknowledged.set(key, value);
            continue;
          }
          if (step.do === 'stop') await journal.close();
          else await disk.crash(seededRandom(step.seed));
          journal = await open();
          assert.deepEqual(state, acknowledged);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('refuses entries while the disk does, and goes on without a gap when there is room', async () => {
    const disk = crashingDisk();
    let full = false;
    const failing = {
      ...disk,
      async open(path: string) {
        const file = await disk.open(path);
        return {
          read: file.read.bind(file),
          size: file.size.bind(file),
          truncate: file.truncate.bind(file),
          sync: file.sync.bind(file),
          close: file.close.bind(file),
          async write(buffers: readonly Buffer[], position: number) {
            await file.write(full ? [Buffer.concat(buffers).subarray(0, 5)] : buffers, position);
            if (full) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
          },
        };
      },
    };
    const options = { sync: true, bytesMax: 1_000_000, dump: () => [], warn() {} };
    const journal = new Journal(failing, '/journal', options);
    await journal.start();
    await journal.append([{ kind: 'a' }]);
    full = true;
    await assert.rejects(journal.append([{ kind: 'b' }]), { code: 'ENOSPC' });
    full = false;
    await journal.append([{ kind: 'c' }]);
    const seen: string[] = [];
    await new Journal(disk, '/journal', options).load(entry => seen.push(entry.kind));
    assert.deepEqual(seen, ['a', 'c']);
  });
});
