import { parseArgs } from 'node:util';
import { createPool, retainProcessedEvents } from '@tidemark/connectors';
import { startPostgres } from '@tidemark/testkit';
import { writeResult } from './report.ts';
import { copyLimit } from './sink-copy-limit.ts';
import { engineFromTopic } from './sink-engine.ts';
import { oneTransactionAnEvent } from './sink-naive.ts';

/**
 * How fast review events get from a loaded topic into PostgreSQL, exactly once, against two marks of the same run: what
 * `COPY` reaches without any bookkeeping, and the textbook's one transaction an event with 64 in flight.
 *
 *     node bench/src/sink.ts --brokers 127.0.0.1:9092 [--events 1000000]
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    events: { type: 'string', default: '1000000' },
  },
});
const events = Number(values.events);
// A benchmark flushes: the difference between the patterns is largely how often they do.
const postgres = await startPostgres({ migrated: true, settings: { fsync: 'on', max_wal_size: '4GB' } });
const pool = createPool({ databaseUrl: postgres.url, applicationName: 'bench', connections: 10 });
// The partitions that the consumer makes, for the time that stands in the ids of the events.
const eventsFromMs = Date.UTC(2026, 10, 21);
await retainProcessedEvents({ pool, holder: 'bench', keepMs: 30 * 86_400_000, leaseMs: 1000 }, eventsFromMs);
const empty = () => postgres.query('TRUNCATE reviews, processed_events, pipeline_positions');
try {
  const limit = await copyLimit(postgres.url, Math.min(events, 500_000));
  await empty();
  const naive = await oneTransactionAnEvent(pool, Math.min(events, 30_000));
  await empty();
  const engine = await engineFromTopic(postgres.url, values.brokers.split(','), events);
  const result = {
    copyPerSec: Math.round(limit),
    naivePerSec: Math.round(naive),
    engine,
    ofTheLimit: round(engine.eventsPerSec / limit),
    timesNaive: round(engine.eventsPerSec / naive),
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`${await writeResult('sink', `node bench/src/sink.ts --events ${events}`, result)}\n`);
} finally {
  await pool.end();
  await postgres.stop();
}

function round(ratio: number): number {
  return Math.round(ratio * 100) / 100;
}
