import { hostname } from 'node:os';
import { type Pool, retainProcessedEvents } from '@tidemark/connectors';
import { type Clock, describeError } from '@tidemark/kernel';
import type { Logger, Metrics } from '@tidemark/observability';

export interface RetentionParts {
  readonly pool: Pool;
  readonly keepMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const intervalMs = 3_600_000;
const retryMs = 60_000;
/** Longer than the interval, so that the same consumer goes on; not so long that a dead one is missed for a day. */
const leaseMs = 2 * intervalMs;

/** Forgets the ids of old events, every hour. Of several consumers on one database only one does. */
export class RetentionSchedule {
  readonly #parts: RetentionParts;
  readonly #holder = `${hostname()}/${process.pid}`;
  readonly #stopped = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const pauseMs = (await this.#apply()) ? intervalMs : retryMs;
      await clock.sleep(pauseMs, signal).catch(() => {});
    }
  }

  async #apply(): Promise<boolean> {
    const { pool, keepMs, clock, logger, metrics } = this.#parts;
    const applied = metrics.gauge('processed_events_retained_timestamp_seconds');
    try {
      const options = { pool, keepMs, holder: this.#holder, leaseMs };
      const result = await retainProcessedEvents(options, clock.now());
      applied.set(result ? Math.round(clock.now() / 1000) : 0);
      if (!result) return true;
      metrics.gauge('processed_events_partitions').set(result.partitions);
      metrics.counter('processed_events_forgotten_total').inc(result.forgotten);
      if (result.forgotten > 0) logger.info({ ...result }, 'ids of old events were forgotten');
      return true;
    } catch (error) {
      metrics.counter('processed_events_retention_failures_total').inc();
      logger.warn({ error: describeError(error) }, 'the retention of event ids failed; trying again');
      return false;
    }
  }
}
