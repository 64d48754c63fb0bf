import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applyStep,
  type Batch,
  type BreakerState,
  BatchLimit,
  composeSink,
  type DeadLetter,
  defaultSinkPolicy,
  DeliveryError,
  deliverableItems,
  type Item,
  isReleased,
  type ParkedKey,
  Pipeline,
  RateLimit,
  type ReplayMark,
} from '@tidemark/pipeline';
import { InstantClock, never, record, sinkOf } from './fakes.ts';

interface Event {
  readonly key: string;
  readonly bad?: boolean;
  readonly garbage?: boolean;
  readonly replay?: ReplayMark;
}

const partition = { topic: 't', partition: 0 };

function batchOf(events: readonly Event[], from = 0n): Batch<Event> {
  const items = events.map((event, index): Item<Event> => {
    const given = { ...record(from + BigInt(index), JSON.stringify(event)), key: Buffer.from(event.key) };
    if (!event.garbage) return { record: given, fate: 'deliver', event };
    const rejection = {
      reason: 'undecodable',
      errorClass: 'undecodable',
      message: '',
      attempts: 0,
      firstFailedAtMs: 0,
      lastFailedAtMs: 0,
    } as const;
    return { record: given, fate: 'rejected', rejection };
  });
  return { partition, items, span: { from, to: from + BigInt(events.length) } };
}

/** All layers around a sink that refuses bad events and stores parked keys. */
async function layered(keysMax = 100, onFull: (full: boolean) => void = () => {}) {
  const clock = new InstantClock();
  const delivered: bigint[] = [];
  const letters: DeadLetter[] = [];
  const stored = new Map<string, ParkedKey>();
  const steps: string[] = [];
  const sink = sinkOf<Event>(async given => {
    const items = deliverableItems(given);
    if (items.some(({ event }) => event.bad)) throw new DeliveryError('permanent', 'constraint');
    delivered.push(...items.map(item => item.record.offset));
    for (const step of given.parking ?? []) {
      steps.push(`${step.step} ${step.at}`);
      const after = applyStep(stored.get(step.key), step);
      if (isReleased(after)) stored.delete(step.key);
      else stored.set(step.key, after);
    }
  });
  const composed = composeSink<Event>({
    pipeline: 'p',
    sink,
    deadLetters: async given => void letters.push(...given),
    probe: async () => {},
    policy: defaultSinkPolicy,
    parking: {
      keyOf: given => given.key?.toString(),
      replayOf: given => {
        const { replay } = JSON.parse(String(given.value)) as { replay?: { pass: string; seq: string } };
        return replay && { pass: BigInt(replay.pass), seq: BigInt(replay.seq) };
      },
      store: {
        load: async () => new Set(stored.keys()),
        read: async (_partition, keys) => keys.flatMap(key => stored.get(key) ?? []),
      },
      keysMax,
    },
    rate: new RateLimit(Infinity, clock),
    batchLimit: new BatchLimit(100),
    observer: {},
    onBreaker: (_state: BreakerState) => {},
    onDeadLetterFailure: () => {},
    onParkingFull: (_partition, full) => onFull(full),
    clock,
    random: () => 0.5,
  });
  await composed.open({ ...partition, nextOffset: 0n }, never);
  return { composed, delivered, letters, stored, steps };
}

const told = (letters: readonly DeadLetter[]) =>
  letters.map(({ record: { offset }, rejection }) => `${offset} ${rejection.reason}`);

test('pitfall 12, what follows a refused event of its key in the same batch is held back, in order, and other keys go on', async () => {
  const { composed, delivered, letters, steps } = await layered();
  const events: Event[] = [{ key: 'a' }, { key: 'a', bad: true }, { key: 'b' }, { key: 'a' }, { key: 'b' }];
  const receipt = await composed.deliver(batchOf(events), never);
  assert.deepEqual(delivered, [0n, 2n, 4n]);
  assert.deepEqual(told(letters), ['1 refused_by_sink', '3 parked']);
  assert.deepEqual(receipt.deadLettered, new Set([1n, 3n]));
  assert.deepEqual(steps, ['failed 1', 'held 3']);
});

test('letters of a key are written in log order, also when one is found late and another at once', async () => {
  const { composed, letters } = await layered();
  await composed.deliver(
    batchOf([{ key: 'a', bad: true }, { key: 'a', garbage: true }, { key: 'a' }]),
    never,
  );
  assert.deepEqual(told(letters), ['0 refused_by_sink', '1 undecodable', '2 parked']);
});

test('keys that are parked when the partition is opened are held back; what was sent back passes, until one fails again', async () => {
  const { composed, delivered, letters, stored } = await layered();
  const row = {
    key: 'a',
    failedAt: 0n,
    failedPass: 0n,
    lastAt: 3n,
    settledThrough: 3n,
    sentSeq: 9n,
    returnedSeq: 0n,
  };
  stored.set('a', row);
  await composed.open({ ...partition, nextOffset: 4n }, never);
  const back = (seq: number, bad = false) => {
    const replay = { pass: String(7), seq: String(seq) } as unknown as ReplayMark;
    return { key: 'a', bad, replay };
  };
  await composed.deliver(batchOf([back(7), { key: 'a' }, back(8, true), back(9)], 4n), never);
  assert.deepEqual(delivered, [4n]);
  assert.deepEqual(told(letters), ['5 parked', '6 refused_by_sink', '7 parked']);
});

test('with too many parked keys an event of another one waits for room and is not lost, and the others go on', async () => {
  const full: boolean[] = [];
  const held = await layered(1, isFull => {
    full.push(isFull);
    held.stored.delete('a'); // somebody discards the letter
  });
  const row = { failedAt: 0n, failedPass: 0n, lastAt: 0n, settledThrough: -1n, sentSeq: 0n, returnedSeq: 0n };
  held.stored.set('a', { key: 'a', ...row });
  await held.composed.open({ ...partition, nextOffset: 1n }, never);
  await held.composed.deliver(batchOf([{ key: 'a' }, { key: 'c' }], 1n), never);
  assert.deepEqual(full, []);
  await held.composed.deliver(batchOf([{ key: 'b', bad: true }], 3n), never);
  assert.deepEqual(full, [true, false]);
  assert.deepEqual(told(held.letters), ['1 parked', '3 refused_by_sink']);
});

test('parking is refused where it could not be exact', () => {
  const config = {
    name: 'p',
    source: undefined as never,
    decode: () => ({ fate: 'filtered' as const }),
    sink: sinkOf(async () => {}),
    deadLetters: async () => {},
    probe: async () => {},
    parking: undefined as never,
    clock: new InstantClock(),
    random: () => 0.5,
  };
  const parking = { keyOf: () => 'k', replayOf: () => undefined, store: undefined as never };
  assert.throws(() => new Pipeline({ ...config, parking }), /cannot park keys/);
  const keeping = { ...config.sink, keepsPositions: true };
  assert.throws(() => new Pipeline({ ...config, parking, sink: keeping, order: 'key' }), /cannot park keys/);
  assert.ok(new Pipeline({ ...config, parking, sink: keeping }));
});
