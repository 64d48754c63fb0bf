import { fill, type Load, measure } from './broker-load.ts';
import { makeTopic, type Side, type SideName, sideNames } from './broker-side.ts';
import { fetchingMuch, fetchingSingles, producing, type Shape } from './broker-traffic.ts';
import { limitOf } from './broker-limit.ts';
import { type Spread, spread } from './report.ts';

/** Connections, each with a partition of its own. */
const lanes = 4;
/** Requests under way on each: as many as the Java producer has. A consumer has one under way, when it asks for much. */
const depth = 5;
const rampMs = 250;
/** What a topic holds that is read: more than our broker keeps in memory, so that it reads its files. */
const logBytes = 192 * 1024 * 1024;
/** What our broker keeps in memory with ease. */
const tailBytes = 8 * 1024 * 1024;
const singlesMax = 100_000;

/** Bytes of a batch: the Java producer's default, and what a busy producer reaches. */
const batchBytes = [16 * 1024, 100 * 1024];

export const shapes: readonly Shape[] = [100, 1000, 10_000].flatMap(messageBytes => [
  ...batchBytes
    .map(bytes => ({ messageBytes, messagesPerBatch: Math.floor(bytes / (messageBytes + 8)) }))
    .filter(({ messagesPerBatch }) => messagesPerBatch > 1),
  { messageBytes, messagesPerBatch: 1 },
]);

/** `tail` is Fetch of what was just written, as by a consumer that keeps up; `fetch` goes through files. */
export type Direction = 'produce' | 'fetch' | 'tail';

export interface Row extends Shape {
  readonly direction: Direction;
  readonly tidemark: Measured;
  readonly kafka: Measured;
  /** Of the medians, ours to Kafka's. */
  readonly ratio: number;
  /** What the same client reaches with a peer that only reads, or only sends, the same bytes. */
  readonly loopbackMbPerSec: number;
}

export interface Measured {
  readonly mbPerSec: Spread;
  readonly messagesPerSec: number;
  /** Processor seconds of the broker for a gigabyte of messages, and the client's share of a core: medians. */
  readonly brokerCpuSecPerGb: number;
  readonly clientCpu: number;
}

export interface Plan {
  readonly runs: number;
  readonly windowMs: number;
}

/** Measures one row: every side in turn, several times, each time in another order. */
export async function measureRow(
  direction: Direction,
  shape: Shape,
  sides: Readonly<Record<SideName, Side>>,
  plan: Plan,
): Promise<Row> {
  const loads: Record<SideName, Load[]> = { tidemark: [], kafka: [] };
  const topic = `${direction}-${shape.messageBytes}-${shape.messagesPerBatch}`;
  const messages = messagesToRead(direction, shape);
  const removers = direction === 'produce' ? [] : await fillBoth(topic, shape, sides, messages);
  for (let run = 0; run < plan.runs; run += 1) {
    for (const name of run % 2 === 0 ? sideNames : sideNames.toReversed()) {
      const load =
        direction === 'produce'
          ? await produceOnce(sides[name], `${topic}-${run}`, shape, plan)
          : await fetchOnce(sides[name], { topic, messages }, shape, plan);
      loads[name].push(load);
    }
  }
  for (const remove of removers) await remove();
  const tidemark = summarise(loads.tidemark, shape);
  const kafka = summarise(loads.kafka, shape);
  return {
    direction,
    ...shape,
    tidemark,
    kafka,
    ratio: round(tidemark.mbPerSec.median / kafka.mbPerSec.median, 2),
    loopbackMbPerSec: round(
      await limitOf(direction, shape, { lanes, depth }, { rampMs, windowMs: plan.windowMs }),
      1,
    ),
  };
}

/** How many messages of each partition are written before they are read. */
function messagesToRead(direction: Direction, { messageBytes, messagesPerBatch }: Shape): number {
  const bytes = direction === 'tail' ? tailBytes : logBytes;
  const wanted = Math.floor(bytes / lanes / messageBytes);
  if (messagesPerBatch === 1) return Math.min(wanted, singlesMax / lanes);
  return Math.floor(wanted / messagesPerBatch) * messagesPerBatch;
}

const everyLane = <T>(make: (partition: number) => T): T[] =>
  Array.from({ length: lanes }, (_, index) => make(index));

async function produceOnce(side: Side, topic: string, shape: Shape, { windowMs }: Plan): Promise<Load> {
  const remove = await makeTopic(side, topic, lanes);
  try {
    const traffics = everyLane(partition => producing({ topic, partition }, shape));
    return await measure(side, traffics, depth, { rampMs, windowMs });
  } finally {
    await remove();
  }
}

function fetchOnce(
  side: Side,
  { topic, messages }: { readonly topic: string; readonly messages: number },
  shape: Shape,
  { windowMs }: Plan,
): Promise<Load> {
  const singles = shape.messagesPerBatch === 1;
  const traffic = singles ? fetchingSingles : fetchingMuch;
  const traffics = everyLane(partition => traffic({ topic, partition }, shape, messages));
  return measure(side, traffics, singles ? depth : 1, { rampMs, windowMs });
}

async function fillBoth(
  topic: string,
  shape: Shape,
  sides: Readonly<Record<SideName, Side>>,
  messages: number,
) {
  const removers = [];
  for (const name of sideNames) {
    removers.push(await makeTopic(sides[name], topic, lanes));
    const traffics = everyLane(partition => producing({ topic, partition }, shape));
    await fill(sides[name].port, traffics, depth, messages / shape.messagesPerBatch);
  }
  return removers;
}

function summarise(loads: readonly Load[], shape: Shape): Measured {
  const mbPerSec = spread(loads.map(load => round(load.megabytesPerSec, 1)));
  const perGb = spread(loads.map(load => (load.brokerCpu / load.megabytesPerSec) * 1000));
  return {
    mbPerSec,
    messagesPerSec: Math.round((mbPerSec.median * 1e6) / shape.messageBytes),
    brokerCpuSecPerGb: round(perGb.median, 2),
    clientCpu: round(spread(loads.map(load => load.clientCpu)).median, 2),
  };
}

export function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
