import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SteadyProduction } from '@tidemark/connectors/synthetic';
import type { Clock } from '@tidemark/kernel';

/** A clock that stands still but for sleeps and for the broker's time; everything happens in this one thread. */
class StepClock implements Clock {
  #nowMs = 0;
  now = () => this.#nowMs;
  monotonic = () => this.#nowMs;
  async sleep(ms: number) {
    this.#nowMs += ms;
  }
}

const running = new AbortController().signal;

test('the rate is kept to the event, also when it is slow or does not fit into the ticks', async () => {
  for (const [ratePerSec, durationMs, expected] of [
    [1000, 500, 500],
    [0.5, 10_000, 5],
    [3, 2000, 6],
    [33_333, 3000, 99_999],
  ] as const) {
    const clock = new StepClock();
    const production = new SteadyProduction({
      ratePerSec,
      durationMs,
      send: async () => {},
      clock,
      signal: running,
    });
    const result = await production.run();
    assert.deepEqual(
      [result.acknowledged, result.failed, result.saturated],
      [expected, 0, false],
      `${ratePerSec}`,
    );
  }
});

test('a broker that takes a tenth of the rate gets no burst, ends the production in time, and is called saturated', async () => {
  const clock = new StepClock();
  const seen: boolean[] = [];
  const production = new SteadyProduction({
    ratePerSec: 100_000,
    durationMs: 5000,
    send: events => clock.sleep(events / 10), // 10,000 a second
    clock,
    signal: running,
    onProgress: ({ saturated }) => seen.push(saturated),
  });
  const { acknowledged, elapsedMs, saturated } = await production.run();
  assert.ok(saturated && seen.includes(true), 'it says so');
  assert.ok(elapsedMs < 6000, `it took ${elapsedMs} ms`);
  assert.ok(Math.abs(acknowledged / elapsedMs - 10) < 1, `${acknowledged} in ${elapsedMs} ms`);
});

test('events that the broker refuses are counted as failed, and the production goes on', async () => {
  let call = 0;
  const production = new SteadyProduction({
    ratePerSec: 100,
    durationMs: 1000,
    send: () => (call++ % 2 === 0 ? Promise.resolve() : Promise.reject(new Error('no'))),
    clock: new StepClock(),
    signal: running,
  });
  const { acknowledged, failed } = await production.run();
  assert.equal(acknowledged + failed, 100);
  assert.ok(failed > 0 && acknowledged > 0);
});
