import type { BrokerParts } from './broker-composition.ts';
import { keepUp } from './topics/upkeep.ts';

/** Transactional ids that were not used for this long are forgotten, as in Kafka. */
const TRANSACTION_IDLE_MS = 7 * 24 * 60 * 60_000;

/**
 * The work that nobody asks for: retention, compaction, expiry of offsets and transactional ids. One round after
 * another, with a pause between them.
 */
export class UpkeepSchedule {
  readonly #parts: BrokerParts;
  #cancel: () => void = () => {};
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
  }

  start(): void {
    const { timers, upkeepIntervalMs } = this.#parts.settings;
    this.#cancel = timers.schedule(upkeepIntervalMs, () => {
      this.#running = this.run().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  /** One round, now. */
  async run(): Promise<void> {
    const { topics, registry, transactions, settings, logs } = this.#parts;
    const { clock, groups, logger } = settings;
    const attempt = async (facts: Record<string, unknown>, work: () => Promise<void>) => {
      if (this.#stopped) return;
      await work().catch((error: unknown) =>
        logger.warn({ ...facts, error }, 'upkeep was interrupted and will be tried again'),
      );
    };
    // What is wrong with one topic must not keep the others from getting smaller.
    for (const topic of topics.all()) {
      await attempt({ topic: topic.name }, () => keepUp(logs, topic, clock.now()));
    }
    await attempt({}, () => registry.expire(groups.offsetsRetentionMs));
    await attempt({}, () => transactions.expire(TRANSACTION_IDLE_MS));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }
}
