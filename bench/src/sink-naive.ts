import type { ReviewCreated } from '@tidemark/contracts';
import { createPool, type Pool } from '@tidemark/connectors';
import { quantile } from './report.ts';
import { reviewEvent } from './sink-events.ts';
import type { Rows } from './sink-copy-limit.ts';

const inFlight = 64;
const connections = 10;

/** The reference form: look the id up, insert the row, insert the id, commit; 64 events at the same time. */
export async function oneTransactionAnEvent(databaseUrl: string, { first, events, ids }: Rows) {
  const pool = createPool({ databaseUrl, applicationName: 'bench', connections });
  const latenciesMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < events) {
      const begunMs = performance.now();
      await processEvent(pool, reviewEvent(first + next++, ids));
      latenciesMs.push(performance.now() - begunMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const elapsedMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  await pool.end();
  latenciesMs.sort((a, b) => a - b);
  return {
    eventsPerSec: (events / elapsedMs) * 1000,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    cpuSecondsPerMillion: (user + system) / events,
  };
}

async function processEvent(pool: Pool, event: ReviewCreated): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rowCount } = await client.query({
      name: 'known',
      text: 'SELECT 1 FROM processed_events WHERE event_id = $1',
      values: [event.event_id],
    });
    if (rowCount === 0) {
      await client.query({
        name: 'insert-review',
        text: 'INSERT INTO reviews (review_id, user_key, rating, text, created_at) VALUES ($1, $2, $3, $4, $5)',
        values: [event.payload.review_id, event.key, event.payload.rating, event.payload.text, event.ts],
      });
      await client.query({
        name: 'mark',
        text: 'INSERT INTO processed_events (event_id) VALUES ($1)',
        values: [event.event_id],
      });
    }
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}
