import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { topics } from '@tidemark/contracts';
import { freePort } from '@tidemark/embedded-postgres';
import { systemClock } from '@tidemark/kernel';
import { startPostgres } from '@tidemark/testkit';
import { writeResult } from './report.ts';
import { loadTopic, startBenchBroker } from './sink-broker.ts';

/**
 * Memory of the consumer, as people run it, while it works off a long backlog: flat, whatever the backlog. In two steps,
 * because filling the topic takes as long as emptying it:
 *
 *     node bench/src/sink-memory.ts --load [--events 10000000] [--data FOLDER]
 *     node bench/src/sink-memory.ts [--events 10000000] [--data FOLDER] [--seconds 600]
 */
const { values } = parseArgs({
  options: {
    load: { type: 'boolean', default: false },
    events: { type: 'string', default: '10000000' },
    data: { type: 'string', default: join(tmpdir(), 'tidemark-bench-memory') },
    seconds: { type: 'string', default: '600' },
  },
});
const events = Number(values.events);
const sampleMs = 250;
/** Of the samples that the result keeps. */
const pointsMax = 25;

interface Sample {
  readonly seconds: number;
  readonly processed: number;
  readonly memoryMiB: number;
  readonly heapMiB: number;
}

const broker = await startBenchBroker(values.data);
try {
  if (values.load) await loadTopic(broker.brokers, topics.events, { first: 0, events, ids: 'ordered' });
  else await drain();
} finally {
  await broker.stop();
}

async function drain(): Promise<void> {
  const postgres = await startPostgres({ migrated: true, settings: { fsync: 'on', max_wal_size: '4GB' } });
  const port = await freePort('127.0.0.1');
  const consumer = spawn(
    process.execPath,
    // As `tidemark up` starts it.
    ['--max-semi-space-size=4', fileURLToPath(new URL('../../apps/consumer/src/main.ts', import.meta.url))],
    {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: {
        TIDEMARK_STOP_WITH_PARENT: '1',
        METRICS_ADDR: `127.0.0.1:${port}`,
        KAFKA_BROKERS: broker.brokers.join(','),
        KAFKA_GROUP_ID: `memory-${process.pid}`,
        DATABASE_URL: postgres.url,
        PIPELINES: 'reviews-to-postgres',
      },
    },
  );
  const samples = await sampleUntilDone(consumer, port);
  const exited = once(consumer, 'exit');
  consumer.kill('SIGTERM');
  await exited;
  await postgres.stop();
  await report(samples);
}

async function sampleUntilDone(consumer: ChildProcess, port: number): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const startedMs = performance.now();
  for (;;) {
    await systemClock.sleep(sampleMs);
    if (consumer.exitCode !== null) throw new Error(`the consumer ended with ${consumer.exitCode}`);
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`).then(
      response => response.text(),
      () => '', // not listening yet
    );
    const number = (pattern: RegExp, text: string) => Number(pattern.exec(text)?.[1] ?? 0);
    const status = await readFile(`/proc/${consumer.pid}/status`, 'utf8');
    const seconds = (performance.now() - startedMs) / 1000;
    const processed = number(
      /^events_processed_total\{pipeline="reviews-to-postgres",result="success"\} (\d+)/m,
      metrics,
    );
    samples.push({
      seconds: Math.round(seconds),
      processed,
      memoryMiB: Math.round(number(/VmRSS:\s+(\d+)/, status) / 1024),
      heapMiB: Math.round(number(/^nodejs_heap_size_used_bytes (\S+)/m, metrics) / 2 ** 20),
    });
    if (processed >= events || seconds > Number(values.seconds)) return samples;
  }
}

async function report(samples: readonly Sample[]): Promise<void> {
  const working = samples.filter(({ processed }) => processed > 0);
  const last = working.at(-1);
  const halves = [working.slice(0, working.length / 2), working.slice(working.length / 2)];
  const [firstHalfMaxMiB, secondHalfMaxMiB] = halves.map(half => Math.max(...half.map(s => s.memoryMiB)));
  const step = Math.max(1, Math.floor(working.length / pointsMax));
  const result = {
    backlog: events,
    processed: last?.processed ?? 0,
    eventsPerSec: Math.round((last?.processed ?? 0) / Math.max(1, last?.seconds ?? 1)),
    memoryMaxMiB: Math.max(...working.map(sample => sample.memoryMiB)),
    firstHalfMaxMiB,
    secondHalfMaxMiB,
    samples: working.filter((_, index) => index % step === 0),
  };
  const command = `node bench/src/sink-memory.ts --events ${events}`;
  process.stdout.write(
    `${JSON.stringify(result, null, 2)}\n${await writeResult('sink-memory', command, result)}\n`,
  );
}
