import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { AttemptLimit } from '../src/auth/attempt-limit.ts';
import { clientNetwork } from '../src/auth/client-network.ts';
import { isLoopback } from '../src/auth/default-account.ts';
import { createPasswords } from '../src/auth/passwords.ts';
import { WorkGate } from '../src/auth/work-gate.ts';
import { decodeCursor, encodeCursor } from '../src/http/cursor.ts';
import { continueTrace } from '../src/http/trace-context.ts';
import { uuidV7 } from '../src/reviews/uuid-v7.ts';

describe('continueTrace', () => {
  const randomHex = (bytes: number) => 'ab'.repeat(bytes);
  const parent = '4bf92f3577b34da6a3ce929d0e0e4736';

  test('goes on in the trace of the caller, with a span of its own', () => {
    const context = continueTrace(`00-${parent}-00f067aa0ba902b7-00`, randomHex);
    assert.deepEqual(context, { traceId: parent, traceparent: `00-${parent}-abababababababab-00` });
  });

  test('accepts later versions and begins a trace where there is none that is valid', () => {
    assert.equal(continueTrace(`01-${parent}-00f067aa0ba902b7-01-more`, randomHex).traceId, parent);
    const invalid = [
      undefined,
      '',
      'x',
      `ff-${parent}-00f067aa0ba902b7-01`,
      `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
      `00-${parent}-${'0'.repeat(16)}-01`,
      `00-${parent.toUpperCase()}-00f067aa0ba902b7-01`,
    ];
    for (const traceparent of invalid) {
      assert.equal(
        continueTrace(traceparent, randomHex).traceparent,
        `00-${'ab'.repeat(16)}-${'ab'.repeat(8)}-01`,
      );
    }
  });
});

describe('cursors', () => {
  test('come back as they were, and nothing else comes back', () => {
    const any = /^[^]*$/;
    fc.assert(
      fc.property(fc.array(fc.string()), parts => {
        const patterns = parts.map(() => any);
        assert.deepEqual(decodeCursor(encodeCursor(parts), patterns), parts);
        assert.throws(() => decodeCursor(encodeCursor(parts), [...patterns, any]), {
          code: 'CURSOR_INVALID',
        });
      }),
    );
    fc.assert(
      fc.property(fc.string(), text => {
        assert.throws(() => decodeCursor(text, [/^never$/]), { code: 'CURSOR_INVALID' });
      }),
    );
  });
});

describe('uuidV7', () => {
  test('has version and variant, and sorts by time', () => {
    const bytes = fc.uint8Array({ minLength: 10, maxLength: 10 });
    const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(time, time, bytes, bytes, (first, second, some, other) => {
        const [a, b] = [uuidV7(first, some), uuidV7(second, other)];
        assert.match(a, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        if (first !== second) assert.equal(a < b, first < second);
      }),
    );
    assert.equal(uuidV7(0x017f22e279b0, new Uint8Array(10)), '017f22e2-79b0-7000-8000-000000000000');
  });
});

describe('clientNetwork', () => {
  test('is the IPv4 address or the first 64 bits of an IPv6 address', () => {
    assert.equal(clientNetwork('203.0.113.7'), '203.0.113.7');
    assert.equal(clientNetwork('::ffff:203.0.113.7'), '203.0.113.7');
    assert.equal(clientNetwork('::1'), '0:0:0:0::/64');
    assert.equal(clientNetwork('2001:DB8:0:1::2'), '2001:db8:0:1::/64');
    assert.equal(clientNetwork('2001:db8::1:2:3:4:5'), '2001:db8:0:1::/64');
    assert.equal(clientNetwork('2001:0db8:0000:0001:ffff:ffff:ffff:ffff'), '2001:db8:0:1::/64');
    assert.equal(clientNetwork('fe80::1%eth0'), 'fe80:0:0:0::/64');
  });
});

describe('isLoopback', () => {
  test('knows the addresses that only this machine can reach', () => {
    for (const host of ['127.0.0.1', '127.8.9.10', '::1', 'localhost'])
      assert.equal(isLoopback(host), true, host);
    for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.com', ''])
      assert.equal(isLoopback(host), false, host);
  });
});

describe('AttemptLimit', () => {
  test('lets so many through in a window, and begins anew after it', () => {
    let now = 0;
    const limit = new AttemptLimit({ max: 2, windowMs: 1000, clock: { monotonic: () => now } });
    assert.deepEqual([limit.take('a'), limit.take('a'), limit.take('a')], [0, 0, 1000]);
    assert.equal(limit.take('b'), 0);
    limit.giveBack('a');
    now = 400;
    assert.deepEqual([limit.take('a'), limit.take('a')], [0, 600]);
    now = 1000;
    assert.equal(limit.take('a'), 0);
  });

  test('forgets the oldest when it remembers too many', () => {
    const limit = new AttemptLimit({ max: 1, windowMs: 1000, keysMax: 3, clock: { monotonic: () => 0 } });
    for (const key of ['a', 'b', 'c', 'd']) assert.equal(limit.take(key), 0);
    assert.equal(limit.take('d'), 1000);
    assert.equal(limit.take('b'), 1000);
    assert.equal(limit.take('a'), 0);
  });
});

describe('WorkGate', () => {
  test('runs a bounded number, lets a bounded number wait, and refuses the rest', async () => {
    const gate = new WorkGate({ runningMax: 2, waitingMax: 2 });
    const finish: (() => void)[] = [];
    let running = 0;
    let runningMax = 0;
    const job = async () => {
      running += 1;
      runningMax = Math.max(runningMax, running);
      await new Promise<void>(resolve => finish.push(resolve));
      running -= 1;
    };
    const jobs = [1, 2, 3, 4].map(() => gate.run(job));
    await assert.rejects(gate.run(job), { code: 'TOO_BUSY', statusCode: 503 });
    while (finish.length > 0) {
      finish.shift()?.();
      await new Promise(resolve => setImmediate(resolve));
    }
    await Promise.all(jobs);
    assert.equal(runningMax, 2);
    await assert.rejects(
      gate.run(() => Promise.reject(new Error('failed'))),
      /failed/,
    );
    assert.equal(await gate.run(async () => 'free again'), 'free again');
  });
});

describe('passwords', () => {
  test('take as long for an account that does not exist as for one that does', async () => {
    const passwords = createPasswords(12);
    const stored = await passwords.hash('the password');
    await passwords.verify('warm-up', null);
    const timed = async (passwordHash: string | null) => {
      const begin = performance.now();
      assert.equal(await passwords.verify('a guess', passwordHash), false);
      return performance.now() - begin;
    };
    const [real, absent, broken] = [await timed(stored), await timed(null), await timed('$2b$10$test')];
    // Without the decoy these would be microseconds against hundreds of milliseconds.
    assert.ok(absent > real / 4, `${absent} ms against ${real} ms`);
    assert.ok(broken > real / 4, `${broken} ms against ${real} ms`);
  });
});
