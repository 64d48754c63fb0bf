import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { FrameDecoder } from '../src/network/frame-decoder.ts';
import { LentMemory } from '../src/storage/lent-memory.ts';
import { SmallTransfers } from '../src/storage/small-transfers.ts';
import { WireError } from '../src/wire/wire-error.ts';
import { framed } from './frames.ts';

/** Pushes the bytes in pieces that all lie in the same memory, as they do when sockets are read. */
function pushInPieces(decoder: FrameDecoder, bytes: Buffer, sizes: readonly number[]): void {
  const landing = Buffer.alloc(Math.max(...sizes));
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    const copied = bytes.copy(landing, 0, at, at + size);
    decoder.push(landing.subarray(0, copied));
    landing.fill(0xff);
    at += copied;
  }
}

function drain(decoder: FrameDecoder): Buffer[] {
  const frames: Buffer[] = [];
  for (let frame = decoder.next(); frame; frame = decoder.next()) frames.push(frame);
  return frames;
}

describe('cutting a stream into frames', () => {
  const body = fc
    .tuple(fc.integer({ min: 1, max: 700_000 }), fc.nat(255))
    .map(([length, fill]) => Buffer.alloc(length, Buffer.from([fill, length & 0xff])));
  const small = fc.uint8Array({ minLength: 1, maxLength: 40 }).map(bytes => Buffer.from(bytes));

  test('gives the frames that were sent, however they are cut, though the pieces are overwritten', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 4, arbitrary: small }, { weight: 1, arbitrary: body }), {
          maxLength: 12,
        }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(262_144)), {
          minLength: 1,
          maxLength: 5,
        }),
        (bodies, sizes) => {
          const decoder = new FrameDecoder(1_000_000, new LentMemory());
          pushInPieces(decoder, Buffer.concat(bodies.map(framed)), sizes);
          const frames = drain(decoder);
          assert.deepEqual(
            frames.map((frame, index) => frame.equals(bodies[index] ?? Buffer.alloc(0))),
            bodies.map(() => true),
          );
          assert.equal(decoder.pendingBytes, 0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('hands out what came before a length that cannot be meant, and then refuses', () => {
    for (const length of ['00000000', 'ffffffff', '7fffffff', '000003e9']) {
      const decoder = new FrameDecoder(1000, new LentMemory());
      decoder.push(
        Buffer.concat([framed(Buffer.from('first')), Buffer.from(length, 'hex'), Buffer.alloc(9)]),
      );
      assert.equal(String(decoder.next()), 'first');
      assert.throws(() => decoder.next(), WireError);
      assert.throws(() => decoder.next(), WireError);
    }
  });

  test('counts what has arrived of a frame, and takes no memory on the word of its length', () => {
    const decoder = new FrameDecoder(100_000_000, new LentMemory());
    decoder.push(Buffer.from('05f5e100', 'hex'));
    assert.equal(decoder.pendingBytes, 4);
    const before = process.memoryUsage().arrayBuffers;
    decoder.push(Buffer.alloc(300_000));
    assert.equal(decoder.pendingBytes, 300_004);
    assert.ok(process.memoryUsage().arrayBuffers - before < 2_000_000);
    assert.equal(decoder.next(), null);
  });
});

describe('small transfers', () => {
  test('leave the thread of the event loop when one of them had to wait', () => {
    const small = new SmallTransfers();
    assert.deepEqual([small.fits(1), small.fits(2 ** 20), small.fits(2 ** 20 + 1)], [true, true, false]);
    assert.equal(
      small.run(() => 7),
      7,
    );
    const slow = () => {
      const untilMs = performance.now() + 8;
      while (performance.now() < untilMs);
      throw new Error('and failed');
    };
    assert.throws(() => small.run(slow), /and failed/);
    assert.ok(!small.fits(1));
  });
});
