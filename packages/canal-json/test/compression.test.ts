import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decode, encode, uncompressed } from '@tidemark/canal-json';
import * as fc from 'fast-check';

interface Compressed {
  readonly of: string;
  readonly lz4: string;
  readonly snappy: string;
}

const read = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
const compressed = JSON.parse(read('compressed.json')) as readonly Compressed[];
const lines = read('ticdc-samples.ndjson').split('\n');
const plainOf = (of: string) =>
  of === 'long' ? undefined : decode(Buffer.from(lines[Number(of.slice('line '.length)) - 1] ?? ''));

for (const kind of ['lz4', 'snappy'] as const) {
  test(`values that TiCDC compressed with ${kind} are read as if they were not`, () => {
    for (const entry of compressed) {
      const message = decode(Buffer.from(entry[kind], 'base64'));
      const plain = plainOf(entry.of);
      if (plain !== undefined) assert.deepEqual(message, plain, entry.of);
      else assert.equal(message.kind === 'row' && message.data['v'], 'abcdefghij-0123456789/'.repeat(5000));
    }
  });

  test(`bytes of ${kind} that were cut or changed give an error or another text, never a crash`, () => {
    const whole = Buffer.from(compressed.at(-1)?.[kind] ?? '', 'base64');
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, cuts) => {
        const bytes = cuts ? whole.subarray(0, at) : Buffer.from(whole);
        if (!cuts) bytes[at] = byte;
        try {
          uncompressed(bytes);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'CANAL_JSON_COMPRESSION');
        }
      }),
      { numRuns: 500 },
    );
  });
}

test('Snappy in the frame of xerial is read', () => {
  const block = Buffer.from(compressed[0]?.snappy ?? '', 'base64');
  const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(block.length);
  assert.deepEqual(decode(Buffer.concat([head, length, block])), plainOf('line 01'));
});

test('a message that is not compressed is never taken for one that is', () => {
  for (const line of lines) {
    const bytes = Buffer.from(line);
    assert.equal(uncompressed(bytes), bytes);
  }
  const watermark = encode({ kind: 'watermark', esMs: 1, tsMs: 2, watermarkTs: 3n });
  for (const space of [' ', '\n', '\r\n', '\t']) {
    const bytes = Buffer.from(space + watermark.toString());
    assert.equal(uncompressed(bytes), bytes);
  }
});

test('a length that nobody could mean is refused before memory is taken for it', () => {
  const bytes = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x7b]);
  assert.throws(() => uncompressed(bytes), { code: 'CANAL_JSON_COMPRESSION' });
});
