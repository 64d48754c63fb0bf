import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asDeliveryError,
  type Batch,
  type DeliverableItem,
  deliverableItems,
  type FailureKind,
  type Sink,
} from '@tidemark/pipeline';

/** A sink under test, with the world behind it. */
export interface SinkTarget<E> {
  /** A sink as a process has it after its start. */
  create(): Sink<E>;
  /** An event of its own id; `refused` is one that the world behind the sink will never take. */
  event(id: number, refused?: boolean): E;
  /** Ids of the events that have taken effect, in the order in which they did, repeats included unless the world has none. */
  effects(): Promise<readonly number[]>;
  /** Empties the world between tests. */
  reset(): Promise<void>;
  /** Makes the world answer nobody, and lets it answer again. Left out by sinks whose world cannot go away. */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
  /** Makes the next delivery hang; resolves when one does. */
  readonly hang?: { begin(): Promise<void>; reached(): Promise<void>; end(): Promise<void> };
  /** False for a world in which a repeat has a second effect, such as a log. */
  readonly idempotent: boolean;
}

const place = { topic: 'contract', partition: 0 };
const never = new AbortController().signal;

/** What the engine relies on in every sink. Each adapter runs it against the real thing, or an independent stand-in. */
export function sinkContract<E>(target: () => SinkTarget<E>): void {
  const opened = async () => {
    await target().reset();
    const sink = target().create();
    await sink.open({ ...place, nextOffset: 0n }, never);
    return sink;
  };
  const events = (ids: readonly number[]) => ids.map(id => target().event(id));
  const failsAs =
    (...kinds: readonly FailureKind[]) =>
    (error: unknown) =>
      kinds.includes(asDeliveryError(error).kind);

  test('a partition that nobody has worked on resumes where the group stands', async () => {
    await target().reset();
    const sink = target().create();
    assert.equal(await sink.open({ ...place, nextOffset: 7n }, never), 7n);
    await sink.close(place);
  });

  test('events take effect in log order, batch after batch', async () => {
    const sink = await opened();
    await sink.deliver(contractBatch(events([0, 1, 2]), 0n), never);
    await sink.deliver(contractBatch(events([3, 4]), 3n), never);
    assert.deepEqual(await target().effects(), [0, 1, 2, 3, 4]);
    await sink.close(place);
  });

  test('a batch with nothing to deliver is accepted', async () => {
    const sink = await opened();
    const { items, ...rest } = contractBatch(events([0]), 0n);
    const filtered = items.map(({ record }) => ({ record, fate: 'filtered' as const }));
    assert.equal((await sink.deliver({ ...rest, items: filtered }, never)).duplicates.size, 0);
    assert.deepEqual(await target().effects(), []);
    await sink.close(place);
  });

  test('a batch that comes again, as after a lost answer, has no second effect', async () => {
    if (!target().idempotent) return;
    const sink = await opened();
    const batch = contractBatch(events([0, 1, 2]), 0n);
    await sink.deliver(batch, never);
    await sink.deliver(batch, never);
    assert.deepEqual(await target().effects(), [0, 1, 2]);
    await sink.close(place);
  });

  test('an event that will never be taken fails as permanent once it stands alone, and the others can go on', async () => {
    const sink = await opened();
    const refused = contractBatch([target().event(0, true)], 0n);
    if (!(await isRefused(sink, refused))) return;
    await assert.rejects(sink.deliver(refused, never), failsAs('permanent'));
    const { items, ...rest } = refused;
    const settled = items.map(({ record }) => ({ record, fate: 'filtered' as const }));
    await sink.deliver({ ...rest, items: settled }, never);
    await sink.deliver(contractBatch(events([1]), 1n), never);
    assert.deepEqual(await target().effects(), [1]);
    await sink.close(place);
  });

  test('a world that answers nobody is down, never the event’s fault, and work goes on when it is back', async () => {
    const { outage } = target();
    if (!outage) return;
    const sink = await opened();
    await outage.begin();
    await assert.rejects(sink.deliver(contractBatch(events([0]), 0n), never), failsAs('down'));
    await outage.end();
    await sink.deliver(contractBatch(events([0]), 0n), never);
    assert.deepEqual(await target().effects(), [0]);
    await sink.close(place);
  });

  test('a delivery that is abandoned ends, and can be made again', async () => {
    const { hang } = target();
    if (!hang) return;
    const sink = await opened();
    await hang.begin();
    const abandon = new AbortController();
    const delivery = assert.rejects(sink.deliver(contractBatch(events([0]), 0n), abandon.signal));
    await hang.reached();
    abandon.abort(new Error('the deadline is over'));
    await delivery;
    await hang.end();
    await sink.deliver(contractBatch(events([0]), 0n), never);
    assert.deepEqual(await target().effects(), [0]);
    await sink.close(place);
  });
}

/** Some sinks take everything, such as a log; there is nothing to classify then. */
async function isRefused<E>(sink: Sink<E>, batch: Batch<E>): Promise<boolean> {
  return sink.deliver(batch, never).then(
    () => false,
    () => true,
  );
}

/** Consecutive events of one key from an offset on. */
export function contractBatch<E>(
  events: readonly E[],
  from: bigint,
): Batch<E> & { readonly items: readonly DeliverableItem<E>[] } {
  const items = events.map((event, index): DeliverableItem<E> => {
    const offset = from + BigInt(index);
    const value = Buffer.from(JSON.stringify({ place: String(offset) }));
    const record = { ...place, offset, timestampMs: 0, key: Buffer.from('a key'), value, headers: [] };
    return { record, fate: 'deliver', event };
  });
  const batch = { partition: place, items, span: { from, to: from + BigInt(items.length) } };
  if (deliverableItems(batch).length === 0) throw new RangeError('a contract batch has events');
  return batch;
}
