import assert from 'node:assert/strict';
import { auditPipeline, createPool, LagReader } from '@tidemark/connectors';
import { groups, pipelines, topics } from '@tidemark/contracts';
import { eventually, type TestPostgres } from '@tidemark/testkit';
import type { EventStack } from './event-stack.ts';

/**
 * Writes down every review in the order in which it took effect, in a table without any constraint: what a
 * unique key would hide is seen there.
 */
export async function watchEffects(postgres: TestPostgres): Promise<void> {
  await postgres.query(`
    CREATE TABLE effects (number bigint GENERATED ALWAYS AS IDENTITY, review_id text, user_key text, sequence int);
    CREATE FUNCTION note_effect() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO effects (review_id, user_key, sequence) VALUES (NEW.review_id, NEW.user_key, NEW.text::int);
      RETURN NULL;
    END $$;
    CREATE TRIGGER note_effect AFTER INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION note_effect();`);
}

/** Reviews that have taken effect, as the ledger counts them. */
export async function delivered({ postgres }: EventStack): Promise<number> {
  const [row] = await postgres.query<{ n: number }>(
    `SELECT coalesce(sum(delivered), 0)::int AS n FROM pipeline_positions WHERE pipeline = $1`,
    [pipelines.reviewsToPostgres],
  );
  return row?.n ?? 0;
}

/** Waits until so many more reviews have taken effect than now. */
export async function progress(stack: EventStack, events: number): Promise<void> {
  const before = await delivered(stack);
  await eventually(
    `${events} more events take effect`,
    async () => (await delivered(stack)) >= before + events,
    { withinMs: 60_000, everyMs: 50 },
  );
}

/**
 * Waits until everything acknowledged has taken effect and every consumer is well, then judges: nothing lost, nothing
 * doubled, the order of every key kept, nothing dead-lettered, the books balanced.
 */
export async function judge(stack: EventStack, acknowledged: number): Promise<void> {
  await eventually(
    `all ${acknowledged} events have taken effect`,
    async () => (await delivered(stack)) >= acknowledged && (await lag(stack)) === 0,
    { withinMs: 60_000, everyMs: 100 },
  );
  assert.deepEqual(await faults(stack, acknowledged), {
    lost: 0,
    doubled: 0,
    out_of_order: 0,
    rows: acknowledged,
    ids: acknowledged,
    dead_letters: 0,
  });
  for (const consumer of stack.consumers) {
    const metrics = await (await consumer.get('/metrics')).text();
    assert.match(metrics, /^pipeline_unaccounted_events\{pipeline="reviews-to-postgres"\} 0$/m);
  }
}

/** Recounts the log against the tables; trusts nothing that the engine has counted. */
export async function audit({ broker, postgres }: EventStack): Promise<void> {
  const pool = createPool({ databaseUrl: postgres.url, applicationName: 'audit', connections: 1 });
  try {
    const connection = { brokers: [broker.bootstrap], clientId: 'audit' };
    const report = await auditPipeline(pipelines.reviewsToPostgres, connection, pool);
    assert.deepEqual(
      report.partitions.flatMap(({ doubts }) => doubts),
      [],
    );
    assert.ok(report.balanced, 'the ledger says the same as log and tables');
  } finally {
    await pool.end();
  }
}

async function faults({ postgres }: EventStack, acknowledged: number): Promise<Record<string, number>> {
  const [row] = await postgres.query<Record<string, number>>(
    `SELECT
       (SELECT count(*)::int FROM generate_series(1, $1::int) sent (number)
         WHERE NOT EXISTS (SELECT FROM reviews WHERE text = sent.number::text)) AS lost,
       (SELECT (count(*) - count(DISTINCT review_id))::int FROM effects) AS doubled,
       (SELECT count(*)::int FROM (
          SELECT sequence, lag(sequence) OVER (PARTITION BY user_key ORDER BY number) AS before FROM effects
        ) told WHERE sequence < before) AS out_of_order,
       (SELECT count(*)::int FROM reviews) AS rows,
       (SELECT count(*)::int FROM processed_events) AS ids,
       (SELECT count(*)::int FROM dlq_events) AS dead_letters`,
    [acknowledged],
  );
  return row ?? {};
}

/** Records of the events' topic that the group has not passed, and letters of the dead-letter topic. */
async function lag({ broker }: EventStack): Promise<number> {
  const reader = new LagReader({ brokers: [broker.bootstrap], clientId: 'lag' });
  try {
    const events = await reader.read(groups.reviews, [topics.events]);
    const letters = await reader.read(groups.deadLetters, [topics.deadLetters]);
    return [...events, ...letters].reduce((sum, partition) => sum + Number(partition.lag), 0);
  } finally {
    await reader.close();
  }
}
