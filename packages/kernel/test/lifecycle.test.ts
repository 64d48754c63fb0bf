import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { deferred, inOrder, lifecycle, type Service } from '../src/index.ts';

/** A naive service that throws when anybody breaks the contract which `lifecycle` is there to keep. */
function fragile(delays: () => number) {
  const facts = { starts: 0, stops: 0, running: false, inside: 0 };
  const turn = async () => {
    facts.inside += 1;
    assert.equal(facts.inside, 1, 'start and stop overlap');
    for (let left = delays(); left > 0; left -= 1) await Promise.resolve();
    facts.inside -= 1;
  };
  const service = lifecycle('fragile', {
    async start() {
      facts.starts += 1;
      assert.equal(facts.running, false, 'started twice');
      await turn();
      facts.running = true;
    },
    async stop() {
      facts.stops += 1;
      assert.equal(facts.running, true, 'stopped what did not run');
      await turn();
      facts.running = false;
    },
  });
  return { service, facts };
}

describe('lifecycle', () => {
  test('any interleaving of starts and stops starts at most once and ends stopped', async () => {
    const calls = fc.array(fc.constantFrom('start', 'stop', 'pause'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(calls, fc.infiniteStream(fc.nat(5)), async (sequence, delays) => {
        const { service, facts } = fragile(() => delays.next().value ?? 0);
        const outcomes: Promise<unknown>[] = [];
        for (const call of sequence) {
          if (call === 'pause') await Promise.resolve();
          else outcomes.push(service[call]().catch((error: unknown) => error));
        }
        await service.stop();
        assert.equal(facts.running, false);
        assert.ok(facts.starts <= 1 && facts.stops === facts.starts, JSON.stringify(facts));
        for (const outcome of await Promise.all(outcomes)) {
          if (outcome !== undefined) assert.equal((outcome as { code?: string }).code, 'LIFECYCLE_STOPPED');
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a failed start may be tried again, and is not followed by a stop', async () => {
    let attempts = 0;
    let stops = 0;
    const service = lifecycle('stubborn', {
      start: () => (++attempts < 3 ? Promise.reject(new Error(`attempt ${attempts}`)) : Promise.resolve()),
      stop: async () => void (stops += 1),
    });
    await assert.rejects(service.start(), /attempt 1/);
    await assert.rejects(service.start(), /attempt 2/);
    await service.start();
    await service.start();
    await service.stop();
    assert.deepEqual([attempts, stops], [3, 1]);

    const hopeless = lifecycle('hopeless', {
      start: () => Promise.reject(new Error('no')),
      stop: assert.fail,
    });
    await assert.rejects(hopeless.start(), /no/);
    await hopeless.stop();
  });

  test('a start that throws at once rejects', async () => {
    const service = lifecycle('rash', {
      start() {
        throw new Error('at once');
      },
      stop: assert.fail,
    });
    await assert.rejects(service.start(), /at once/);
  });

  test('a stop during the start waits for it and then stops', async () => {
    const started = deferred();
    const order: string[] = [];
    const service = lifecycle('slow', {
      async start() {
        await started.promise;
        order.push('started');
      },
      stop: async () => void order.push('stopped'),
    });
    const starting = service.start();
    const stopping = service.stop();
    started.resolve();
    await Promise.all([starting, stopping]);
    assert.deepEqual(order, ['started', 'stopped']);
  });

  test('a failed stop is told to everybody who asked, and not tried again', async () => {
    let stops = 0;
    const service = lifecycle('clinging', {
      start: () => Promise.resolve(),
      stop: () => Promise.reject(new Error(`stop ${++stops}`)),
    });
    await service.start();
    await assert.rejects(service.stop(), /stop 1/);
    await assert.rejects(service.stop(), /stop 1/);
  });
});

describe('services in order', () => {
  const recorded = (name: string, log: string[], fails: { start?: boolean; stop?: boolean } = {}): Service =>
    lifecycle(name, {
      async start() {
        if (fails.start) throw new Error(`${name} does not start`);
        log.push(`${name} started`);
      },
      async stop() {
        if (fails.stop) throw new Error(`${name} does not stop`);
        log.push(`${name} stopped`);
      },
    });

  test('start one after the other and stop in reverse', async () => {
    const log: string[] = [];
    const whole = inOrder('whole', [recorded('a', log), recorded('b', log)]);
    await whole.start();
    await whole.stop();
    assert.deepEqual(log, ['a started', 'b started', 'b stopped', 'a stopped']);
  });

  test('a failed start stops what was running and starts nothing more', async () => {
    const log: string[] = [];
    const whole = inOrder('whole', [
      recorded('a', log),
      recorded('b', log, { start: true }),
      recorded('c', log),
    ]);
    await assert.rejects(whole.start(), /b does not start/);
    assert.deepEqual(log, ['a started', 'a stopped']);
  });

  test('a failed stop does not keep the others running, and is told', async () => {
    const log: string[] = [];
    const whole = inOrder('whole', [recorded('a', log), recorded('b', log, { stop: true })]);
    await whole.start();
    await assert.rejects(whole.stop(), (error: AggregateError) => {
      assert.match(String(error.errors[0]), /b does not stop/);
      return true;
    });
    assert.deepEqual(log.at(-1), 'a stopped');
  });
});
