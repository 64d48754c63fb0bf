import { type KafkaDistribution, KafkaTools } from '@tidemark/e2e/brokers';
import { makeTopic, type Side, type SideName, sideNames } from './broker-side.ts';
import { round } from './broker-throughput.ts';
import { type Spread, spread } from './report.ts';

const partitions = 4;
/** Bytes of messages that one run of Kafka's programs writes and reads again. */
const runBytes = 400_000_000;
const recordsMax = 2_000_000;

export interface ClientRow {
  readonly messageBytes: number;
  readonly records: number;
  readonly produceMbPerSec: Readonly<Record<SideName, Spread>>;
  readonly fetchMbPerSec: Readonly<Record<SideName, Spread>>;
  readonly produceRatio: number;
  readonly fetchRatio: number;
}

/**
 * A real client: Kafka's own `kafka-producer-perf-test` and `kafka-consumer-perf-test`, with the defaults of the Java
 * client, as they report it themselves. On two cores the client is a large part of what is measured.
 */
export async function measureClient(
  sides: Readonly<Record<SideName, Side>>,
  kafka: KafkaDistribution,
  messageBytes: number,
  runs: number,
): Promise<ClientRow> {
  const records = Math.min(Math.floor(runBytes / messageBytes), recordsMax);
  const produced = { tidemark: [] as number[], kafka: [] as number[] };
  const fetched = { tidemark: [] as number[], kafka: [] as number[] };
  for (let run = 0; run < runs; run += 1) {
    for (const name of run % 2 === 0 ? sideNames : sideNames.toReversed()) {
      const topic = `client-${messageBytes}-${run}`;
      const remove = await makeTopic(sides[name], topic, partitions);
      try {
        const tools = new KafkaTools(kafka, sides[name].broker.bootstrap);
        produced[name].push(await produceOnce(tools, topic, messageBytes, records));
        fetched[name].push(await fetchOnce(tools, topic, records));
      } finally {
        await remove();
      }
    }
  }
  const spreads = (of: typeof produced) => ({ tidemark: spread(of.tidemark), kafka: spread(of.kafka) });
  const ratio = (of: typeof produced) => round(spread(of.tidemark).median / spread(of.kafka).median, 2);
  return {
    messageBytes,
    records,
    produceMbPerSec: spreads(produced),
    fetchMbPerSec: spreads(fetched),
    produceRatio: ratio(produced),
    fetchRatio: ratio(fetched),
  };
}

const mebibyte = 1024 * 1024;

async function produceOnce(
  tools: KafkaTools,
  topic: string,
  bytes: number,
  records: number,
): Promise<number> {
  const output = await tools.ok(
    'producer-perf-test',
    [
      ['--topic', topic],
      ['--num-records', String(records)],
      ['--record-size', String(bytes)],
      ['--throughput', '-1'],
    ].flat(),
  );
  const last = [...output.matchAll(/records\/sec \(([\d.]+) MB\/sec\)/g)].at(-1)?.[1];
  return round((Number(last) * mebibyte) / 1e6, 1);
}

/** The tool's table has one line: start, end, MB, MB a second, records, records a second, rebalance ms, fetch ms, … */
async function fetchOnce(tools: KafkaTools, topic: string, records: number): Promise<number> {
  const output = await tools.ok(
    'consumer-perf-test',
    [['--topic', topic], [tools.options.count, String(records)], ['--hide-header']].flat(),
  );
  const columns = output.trim().split('\n').at(-1)?.split(', ') ?? [];
  const [megabytes, fetchMs] = [Number(columns[2]), Number(columns[7])];
  return round((megabytes * mebibyte) / 1e6 / (fetchMs / 1000), 1);
}
