import type { Pool } from '@tidemark/connectors';
import { reviewEvent } from './sink-events.ts';

const inFlight = 64;

/** The reference form: look the id up, insert the row, insert the id, commit; 64 events at the same time. Events a second. */
export async function oneTransactionAnEvent(pool: Pool, events: number): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < events) await processEvent(pool, next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (events / (performance.now() - startedMs)) * 1000;
}

async function processEvent(pool: Pool, index: number): Promise<void> {
  const event = reviewEvent(index);
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
