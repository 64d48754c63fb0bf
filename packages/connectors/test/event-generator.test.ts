import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeReview } from '@tidemark/connectors';
import { defaultShape, EventGenerator, type TrafficShape, uuidV7Maker } from '@tidemark/connectors/synthetic';
import { type Clock, seededRandom, systemClock } from '@tidemark/kernel';

const frozen: Clock = { ...systemClock, now: () => Date.UTC(2026, 10, 21) };

function generate(shape: Partial<TrafficShape>, seed: number, count: number) {
  const generator = new EventGenerator({ ...defaultShape, ...shape }, seededRandom(seed), frozen);
  return Array.from({ length: count }, () => generator.next());
}

const decode = ({ key, value }: { key: Buffer; value: Buffer }) =>
  decodeReview({ topic: 't', partition: 0, offset: 0n, timestampMs: 0, key, value, headers: [] });

test('four fifths of the events go to the hot fifth of the keys', () => {
  const keys = generate({ keys: 100 }, 1, 10_000).map(({ key }) => Number(String(key).slice('user:'.length)));
  const hot = keys.filter(key => key <= 20).length / keys.length;
  assert.ok(Math.abs(hot - 0.8) < 0.02, `${hot} of the events are hot`);
  assert.ok(keys.every(key => key >= 1 && key <= 100));
  assert.ok(new Set(keys).size > 90);
});

test('poison and repetitions come as often as asked for, and everything else can be processed', () => {
  const events = generate({ poisonPct: 10, duplicatePct: 5 }, 2, 10_000);
  const refused = events.filter(event => decode(event).fate === 'rejected').length / events.length;
  assert.ok(Math.abs(refused - 0.1) < 0.01, `${refused} of the events are poison`);
  const good = events.filter(event => decode(event).fate === 'deliver').map(event => String(event.value));
  const repeated = (good.length - new Set(good).size) / events.length;
  assert.ok(Math.abs(repeated - 0.05) < 0.01, `${repeated} of the events are repetitions`);
});

test('a seed repeats keys, ratings and texts', () => {
  const content = (seed: number) =>
    generate({}, seed, 100).map(({ value }) => {
      const { key, payload } = JSON.parse(String(value)) as {
        key: string;
        payload: { rating: number; text: string };
      };
      return [key, payload.rating, payload.text];
    });
  assert.deepEqual(content(7), content(7));
  assert.notDeepEqual(content(7), content(8));
});

test('ids are UUIDs of version 7 that ascend, even within a millisecond and when the clock is set back', () => {
  const times = [1000, 1000, 999, 5000, 4000];
  let call = 0;
  const next = uuidV7Maker(() => times[Math.min(Math.floor(call++ / 5000), times.length - 1)] ?? 0);
  const ids = Array.from({ length: 25_000 }, next);
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
