import { parseArgs } from 'node:util';
import { describeError } from '@tidemark/kernel';
import { startPostgres } from '@tidemark/testkit';
import { captureLatency } from './capture-latency.ts';
import { CaptureFeed, CaptureProcess, startOwnBroker } from './capture-process.ts';
import { shapes, SourceTable } from './capture-source.ts';
import { Debezium } from './capture-debezium.ts';
import { fetchPeers, type Started, startApacheKafka } from './connect.ts';
import { spread, writeResult } from './report.ts';
import { receiveLogically } from './recvlogical.ts';
import { TopicEnds } from './topic-ends.ts';

/**
 * Rows a second from the log of PostgreSQL to a topic, for transactions of 1, 10 and 1,000 rows, against what
 * pg_recvlogical reads to nowhere, and against Debezium on Kafka Connect with the same broker; then commit → topic at
 * half of that rate. All read the same log, one after another.
 *
 *     node bench/src/capture.ts [--rows 100000] [--runs 3] [--peers false]
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '3' },
    peers: { type: 'string', default: 'true' },
    latency: { type: 'string', default: 'true' },
  },
});
const rows = Number(values.rows);
const runs = Number(values.runs);
const warmUpRows = 20_000;

const postgres = await startPostgres({ migrated: true, settings: { fsync: 'on', max_wal_size: '4GB' } });
const started: { stop(): Promise<unknown> }[] = [];
const keep = <T extends { stop(): Promise<unknown> }>(thing: T): T => {
  started.push(thing);
  return thing;
};
try {
  const table = new SourceTable(postgres);
  await table.create();
  const peers = values.peers === 'true' ? await peersOrReason() : 'not asked for';
  const own = keep(await startOwnBroker());
  const capture = keep(await CaptureProcess.start(postgres));
  const systems = [await feed('capture', capture, own)];
  if (typeof peers !== 'string') systems.push(await feed('capture on Apache Kafka', capture, peers.kafka));
  const debezium = typeof peers === 'string' ? undefined : keep(await Debezium.start(postgres, peers));
  const results = [];
  // Once without counting: the compilers of both runtimes have seen the work before it is measured.
  await table.write(warmUpRows, 10);
  for (const system of systems) await system.drain(warmUpRows);
  if (debezium !== undefined) await debezium.drain(warmUpRows);
  for (const shape of shapes) {
    const rates = new Map<string, number[]>();
    const note = (name: string, rate: number) => rates.set(name, [...(rates.get(name) ?? []), rate]);
    for (let run = 0; run < runs; run += 1) {
      const slot = await table.slot(`recv_${shape}_${run}`);
      await debezium?.pause();
      await table.write(rows, shape);
      note('pg_recvlogical', rows / (await receiveLogically(postgres, slot)));
      for (const system of systems) note(system.name, await system.drain(rows));
      if (debezium !== undefined) note('Debezium on Apache Kafka', await debezium.drain(rows));
    }
    results.push(summary(shape, rates));
    process.stdout.write(`${JSON.stringify(results.at(-1))}\n`);
  }
  // What is measured next has the machine for itself.
  await debezium?.stop();
  if (typeof peers !== 'string') await peers.kafka.stop();
  const [subject] = systems;
  const latency =
    values.latency === 'true' && subject !== undefined ? await captureLatency(table, subject) : [];
  const result = {
    rows,
    peers: typeof peers === 'string' ? peers : 'Debezium 3.6.0.Final, Apache Kafka 4.3.1',
    results,
    latency,
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(
    `${await writeResult('capture', `node bench/src/capture.ts --rows ${rows} --runs ${runs}`, result)}\n`,
  );
} finally {
  for (const thing of started.toReversed()) await thing.stop();
  await postgres.stop();
}

async function feed(name: string, capture: CaptureProcess, broker: Started): Promise<CaptureFeed> {
  const ends = new TopicEnds(broker.address);
  await ends.open();
  keep({ stop: () => ends.close() });
  const created = await CaptureFeed.create(name, capture, broker.address, ends);
  await created.pause();
  return created;
}

async function peersOrReason(): Promise<string | { readonly jars: string; readonly kafka: Started }> {
  try {
    const jars = await fetchPeers();
    return { jars, kafka: keep(await startApacheKafka(jars)) };
  } catch (error) {
    const reason = `not to be had: ${describeError(error).slice(0, 200)}`;
    process.stderr.write(`\n  !! SKIPPED: Debezium and Apache Kafka are ${reason}\n\n`);
    return reason;
  }
}

function summary(shape: number, rates: ReadonlyMap<string, readonly number[]>) {
  const rounded = [...rates].map(([name, each]) => [name, spread(each.map(Math.round))] as const);
  const median = (name: string) => rounded.find(([each]) => each === name)?.[1].median;
  const ratio = (of: string, to: string) => {
    const [a, b] = [median(of), median(to)];
    return a === undefined || b === undefined ? undefined : Math.round((100 * a) / b) / 100;
  };
  return {
    rowsPerTransaction: shape,
    rowsPerSec: Object.fromEntries(rounded),
    ofRecvlogical: ratio('capture', 'pg_recvlogical'),
    timesDebezium: ratio('capture on Apache Kafka', 'Debezium on Apache Kafka'),
  };
}
