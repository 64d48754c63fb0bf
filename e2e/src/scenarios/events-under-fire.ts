import assert from 'node:assert/strict';
import { after, afterEach, before, describe, type TestContext, test } from 'node:test';
import { seededRandom } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { Client } from 'pg';
import type { ConsumerProcess } from '../events/consumer-process.ts';
import type { EventBroker } from '../events/event-broker.ts';
import { type EventStack, startEventStack } from '../events/event-stack.ts';
import { ReviewLoad } from '../events/review-load.ts';
import { audit, judge, progress } from '../events/verdict.ts';

export interface UnderFire {
  readonly title: string;
  readonly startBroker: () => Promise<EventBroker>;
  /** Why it cannot be run on this machine. */
  readonly skip?: string | false;
}

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));

/**
 * Review events flow without a pause while consumers, database and broker are ended, stopped and slowed down. After each
 * fault: nothing lost, nothing doubled, the order of every key kept, no dead letter, and the books balance.
 */
export function eventsUnderFire({ title, startBroker, skip = false }: UnderFire): void {
  describe(title, { skip }, () => {
    const random = seededRandom(seed);
    let stack: EventStack;
    let load: ReviewLoad;
    before(async () => {
      stack = await startEventStack(startBroker);
      const label = seed.toString(16).padStart(8, '0');
      load = new ReviewLoad(stack.broker.bootstrap, `${label}-0000`, random);
    });
    after(async () => {
      await load?.close();
      await stack?.stop();
    });
    afterEach(async () => {
      await load.stop();
      for (const consumer of stack.consumers) await stack.endConsumer(consumer, 'SIGKILL');
    });

    /** Runs `harm` under load with these consumers, then judges. */
    const underLoad = async (t: TestContext, consumers: number, harm: () => Promise<void>) => {
      t.diagnostic(`SEED=${seed}`);
      const sentBefore = load.acknowledged;
      await Promise.all(Array.from({ length: consumers }, () => stack.startConsumer()));
      load.start();
      await progress(stack, 100);
      await harm();
      await progress(stack, 100);
      await load.stop();
      await judge(stack, load.acknowledged);
      t.diagnostic(`${load.acknowledged - sentBefore} events went through`);
    };
    const oneOf = (consumers: ReadonlySet<ConsumerProcess>) =>
      [...consumers][Math.floor(random() * consumers.size)] as ConsumerProcess;

    test('kill -9 of a consumer, again and again', t =>
      underLoad(t, 2, async () => {
        for (let kills = 0; kills < 3; kills += 1) {
          await stack.endConsumer(oneOf(stack.consumers), 'SIGKILL');
          await stack.startConsumer();
          await progress(stack, 100);
        }
      }));

    test('a consumer that is stopped in the middle of a transaction and wakes up after its session is fenced', t =>
      underLoad(t, 1, async () => {
        const sleeper = oneOf(stack.consumers);
        await stopInTransaction(stack, sleeper);
        await stack.startConsumer();
        const epochs = await ownerEpochs(stack);
        await eventually(
          'another consumer owns what the stopped one had',
          async () => (await ownerEpochs(stack)).every((epoch, index) => epoch > (epochs[index] ?? 0)),
          { withinMs: 30_000, everyMs: 50 },
        );
        sleeper.signal('SIGCONT');
        await eventually('the one that woke up is refused', () =>
          sleeper.output().includes('has another owner now'),
        );
      }));

    test('the database is restarted, and killed', t =>
      underLoad(t, 2, async () => {
        for (const mode of ['fast', 'kill'] as const) {
          await stack.postgres.pause(mode);
          await eventually(
            'readiness says so',
            async () => (await readiness(oneOf(stack.consumers))) === 503,
          );
          await stack.postgres.resume();
          await progress(stack, 100);
          await Promise.all([...stack.consumers].map(untilReady));
        }
      }));

    test('the broker is restarted, and killed', t =>
      underLoad(t, 2, async () => {
        for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
          await stack.broker.restart(signal);
          await progress(stack, 100);
          await Promise.all([...stack.consumers].map(untilReady));
        }
      }));

    test('three consumers join and leave', t =>
      underLoad(t, 3, async () => {
        for (let rounds = 0; rounds < 2; rounds += 1) {
          assert.equal(await stack.endConsumer(oneOf(stack.consumers), 'SIGTERM'), 0);
          await progress(stack, 100);
          await stack.startConsumer();
          await progress(stack, 100);
        }
      }));

    test('the database is so slow that statements are cut off', t =>
      underLoad(t, 1, async () => {
        const hasty = await stack.startConsumer({
          DATABASE_URL: `${stack.postgres.url}?statement_timeout=600`,
        });
        await slowDown(stack);
        await progress(stack, 50);
        await eventually('batches are cut', () => hasty.output().includes('statement timeout'), {
          withinMs: 30_000,
        });
        await stack.postgres.query('DROP TRIGGER slow_insert ON reviews');
      }));

    test('an audit finds the log and the tables in agreement', async () => audit(stack));
  });
}

async function readiness(consumer: ConsumerProcess): Promise<number> {
  return (await consumer.get('/readyz')).status;
}

function untilReady(consumer: ConsumerProcess): Promise<true> {
  return eventually('the consumer is ready', async () => (await readiness(consumer)) === 200, {
    withinMs: 60_000,
  });
}

/** Holds the table of the reviews until a consumer has a transaction that waits for it, and stops the consumer there. */
async function stopInTransaction(stack: EventStack, consumer: ConsumerProcess): Promise<void> {
  const client = new Client({ connectionString: stack.postgres.url });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('LOCK TABLE reviews IN SHARE MODE');
    await eventually('a transaction of the consumer waits', async () => {
      const { rows } = await client.query<{ waiting: number }>(
        `SELECT count(*)::int AS waiting FROM pg_locks WHERE relation = 'reviews'::regclass AND NOT granted`,
      );
      return (rows[0]?.waiting ?? 0) > 0;
    });
    consumer.signal('SIGSTOP');
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

async function ownerEpochs({ postgres }: EventStack): Promise<readonly number[]> {
  const rows = await postgres.query<{ owner_epoch: string }>(
    `SELECT owner_epoch FROM pipeline_positions WHERE pipeline = 'reviews-to-postgres' ORDER BY partition`,
  );
  return rows.map(row => Number(row.owner_epoch));
}

/** Every row takes 40 ms: a whole batch more than a statement may. */
async function slowDown({ postgres }: EventStack): Promise<void> {
  await postgres.query(`
    CREATE FUNCTION slow_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(0.04); RETURN NEW; END $$;
    CREATE TRIGGER slow_insert BEFORE INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION slow_trigger()`);
}
