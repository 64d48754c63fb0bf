import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createMessageSender, type MessageSender } from '@tidemark/connectors';
import { pipelines, topics } from '@tidemark/contracts';
import { eventually } from '@tidemark/testkit';
import type { Stack } from '../stack.ts';
import type { Scenario } from './scenario.ts';

const longWait = { withinMs: 60_000, everyMs: 100 };
const pipeline = pipelines.reviewsToPostgres;

/** Four ways to break the running stack on purpose: what an operator sees of each, and that the stack recovers. */
export function drills({ title, start, skip = false }: Scenario): void {
  describe(title, { skip }, () => {
    let stack: Stack;
    let operator: Operator;
    let sender: MessageSender;
    before(async () => {
      stack = await start();
      operator = new Operator(stack);
      sender = createMessageSender({ brokers: [stack.brokers], clientId: 'drill' });
    });
    after(async () => {
      await sender?.close();
      await stack?.stop();
    });

    test('lag climbs while events come faster than they are consumed, and drains once the limit is lifted', async t => {
      await operator.call('consumer', `/pipelines/${pipeline}/settings?eventsPerSec=100`);
      await operator.produce({ ratePerSec: 1000, seed: 1 });
      const seen = await eventually('lag climbs', () => operator.lagAbove(1500), longWait);
      t.diagnostic(`the lag reached ${seen}`);
      assert.equal(await operator.readiness(), 200, 'slow is not broken');
      await operator.call('consumer', `/pipelines/${pipeline}/settings?eventsPerSec=unlimited`);
      const { produced } = await operator.stopProducing();
      await operator.untilDrained();
      assert.deepEqual(await operator.books(), { reviews: produced, delivered: produced, dead_lettered: 0 });
    });

    test('the database is slow: lag and query times tell, nothing is dead-lettered, and it drains by itself', async () => {
      const before = await operator.books();
      await stack.query(`
        CREATE OR REPLACE FUNCTION slow_trigger() RETURNS trigger AS $$
        BEGIN PERFORM pg_sleep(2); RETURN NEW; END; $$ LANGUAGE plpgsql;
        CREATE TRIGGER slow_insert BEFORE INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION slow_trigger();`);
      await operator.produce({ ratePerSec: 5, seed: 2 });
      await eventually('lag climbs', () => operator.lagAbove(15), longWait);
      const { produced } = await operator.stopProducing();
      await stack.query('DROP TRIGGER slow_insert ON reviews');
      await operator.untilDrained();
      assert.deepEqual(await operator.books(), {
        reviews: before.reviews + produced,
        delivered: before.delivered + produced,
        dead_lettered: before.dead_lettered,
      });
      const metrics = await operator.metrics();
      const slow = metrics
        .filter(line => line.startsWith('db_query_duration_seconds_sum'))
        .map(line => Number(line.split(' ').at(-1)));
      assert.ok(Math.max(...slow) > 2, 'the time of the statements shows where it went');
      await eventually('ready again', async () => (await operator.readiness()) === 200, longWait);
    });

    test('poison is dead-lettered with its reason, and what stands behind it goes on', async () => {
      const before = await operator.books();
      const key = Buffer.from('user:poison');
      const send = (value: string) => ({ topic: topics.events, key, value: Buffer.from(value) });
      await sender.send([
        send('not valid json at all'),
        send(review('poisoned', -5)),
        send('{"event_type":"review_created","key":"user:poison"}'),
      ]);
      const big = `"${'x'.repeat(2 * 1024 * 1024)}`;
      await assert.rejects(sender.send([send(big)]), 'a broker takes no record of 2 MB as it is');
      // The limit counts compressed bytes: this is how 2 MB get past it.
      await sender.send([send(big)], { compressed: true });
      await sender.send([send(review('behind', 5))]);
      await eventually('what stands behind takes effect', async () => {
        const rows = await stack.query(`SELECT FROM reviews WHERE text = 'behind'`);
        return rows.length === 1;
      });
      const letters = await eventually('all four can be browsed', async () => {
        const rows = await stack.query<{ reason: string; error: string; bytes: number }>(
          `SELECT reason, error, length(payload_bytes) AS bytes FROM dlq_events ORDER BY source_offset`,
        );
        return rows.length >= 4 && rows;
      });
      assert.deepEqual(
        letters.map(({ reason }) => reason),
        ['undecodable', 'business_rule', 'invalid', 'undecodable'],
      );
      assert.match(letters[1]?.error ?? '', /payload\.rating is -5/);
      assert.match(letters[2]?.error ?? '', /event_id must be/);
      assert.equal(letters[3]?.bytes, big.length);
      assert.deepEqual(await operator.books(), {
        reviews: before.reviews + 1,
        delivered: before.delivered + 1,
        dead_lettered: before.dead_lettered + 4,
      });
      const metrics = await operator.metrics();
      const line = `dead_letters_total{pipeline="${pipeline}",reason="undecodable"} 2`;
      assert.ok(metrics.includes(line), 'the reason is in the metrics');
      assert.equal(await operator.readiness(), 200);
    });

    test('the consumer crashes under load: it comes back by itself and doubles nothing', async () => {
      const before = await operator.books();
      await operator.produce({ ratePerSec: 500, seed: 3 });
      const reached = before.delivered + 300;
      await eventually('events flow', async () => (await operator.books()).delivered >= reached, longWait);
      const { pid, restarts } = await operator.consumer();
      process.kill(pid, 'SIGKILL');
      const back = async () => {
        const now = await operator.consumer();
        return now.restarts > restarts && now.answer === 'ready';
      };
      await eventually('status says that it was started again', back, longWait);
      const { produced } = await operator.stopProducing();
      await operator.untilDrained();
      assert.deepEqual(await operator.books(), {
        reviews: before.reviews + produced,
        delivered: before.delivered + produced,
        dead_lettered: before.dead_lettered,
      });
    });
  });
}

/** The stack as its operator sees and handles it. */
class Operator {
  readonly #stack: Stack;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  async call(service: 'consumer' | 'producer', path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#stack.http(service)}${path}`, {
      method: 'POST',
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async produce(options: { readonly ratePerSec: number; readonly seed: number }): Promise<void> {
    await this.call('producer', '/start-background', options);
  }

  async stopProducing(): Promise<{ readonly produced: number }> {
    const status = (await this.call('producer', '/stop-background')) as { produced: number; failed: number };
    assert.equal(status.failed, 0);
    return status;
  }

  /** Lines of the consumer's metrics. */
  async metrics(): Promise<readonly string[]> {
    return (await (await fetch(`${this.#stack.http('consumer')}/metrics`)).text()).split('\n');
  }

  /** The lag of the events as the metrics tell it, undefined until it is above `events`. */
  async lagAbove(events: number): Promise<number | undefined> {
    const lag = await this.#lag();
    return lag > events ? lag : undefined;
  }

  async #lag(): Promise<number> {
    const lines = (await this.metrics()).filter(
      line => line.startsWith('consumer_lag{') && line.includes(`topic="${topics.events}"`),
    );
    if (lines.length === 0) return Number.NaN;
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Waits until the metrics show no lag and nothing unaccounted. */
  async untilDrained(): Promise<void> {
    const settled = `pipeline_unaccounted_events{pipeline="${pipeline}"} 0`;
    await eventually(
      'the lag drains',
      async () => (await this.#lag()) === 0 && (await this.metrics()).includes(settled),
      longWait,
    );
  }

  async readiness(): Promise<number> {
    return (await fetch(`${this.#stack.http('consumer')}/readyz`)).status;
  }

  async consumer() {
    const service = (await this.#stack.status()).find(({ name }) => name === 'consumer');
    return { pid: service?.pid ?? 0, restarts: service?.restarts ?? 0, answer: service?.answer ?? 'unknown' };
  }

  /** Rows and ledger. That they agree means that no event had its effect twice. */
  async books() {
    const [row] = await this.#stack.query<{ reviews: number; delivered: number; dead_lettered: number }>(
      `SELECT (SELECT count(*)::int FROM reviews) AS reviews,
         coalesce(sum(delivered), 0)::int AS delivered, coalesce(sum(dead_lettered), 0)::int AS dead_lettered
       FROM pipeline_positions WHERE pipeline = $1`,
      [pipeline],
    );
    return row ?? { reviews: 0, delivered: 0, dead_lettered: 0 };
  }
}

function review(text: string, rating: number): string {
  const id = randomUUID();
  return JSON.stringify({
    event_id: id,
    event_type: 'review_created',
    key: 'user:poison',
    ts: new Date().toISOString(),
    schema_version: 1,
    payload: { review_id: `r-${id}`, rating, text },
  });
}
