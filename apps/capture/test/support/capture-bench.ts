import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, seededRandom, systemClock } from '@tidemark/kernel';
import { createLogger, createMetrics, type Metrics } from '@tidemark/observability';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { Pool } from 'pg';
import { ChangefeedStore } from '../../src/changefeed/changefeed-store.ts';
import { Changefeeds } from '../../src/changefeed/changefeeds.ts';
import { feedMetrics } from '../../src/changefeed/feed-metrics.ts';
import { type FeedSettings, feedSettings } from '../../src/changefeed/feed-settings.ts';
import { completeConfig, type GivenConfig } from '../../src/changefeed/replica-config.ts';
import { secretBox } from '../../src/changefeed/secret-box.ts';
import type { ChangeSink } from '../../src/stream/sink.ts';
import { MemoryTopic } from './memory-topic.ts';

/** A database of its own, changefeeds over it, and a topic in memory. */
export interface CaptureBench {
  readonly postgres: TestPostgres;
  readonly topic: MemoryTopic;
  readonly metrics: Metrics;
  readonly changefeeds: Changefeeds;
  /** Folder of large transactions. */
  readonly dataDir: string;
  /** Creates a changefeed and waits until it streams. */
  create(id: string, rules: readonly string[], config?: GivenConfig, uri?: string): Promise<void>;
  /** Waits until the topic holds so many messages. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A row keeps its partition. */
export const sink: NonNullable<GivenConfig['sink']> = {
  dispatchers: [{ matcher: ['*.*'], partition: 'index-value' }],
};

export const sinkUri =
  'kafka://127.0.0.1:9/changes?protocol=canal-json&enable-tidb-extension=true&partition-num=3';

export interface OpenedChangefeeds {
  readonly changefeeds: Changefeeds;
  readonly metrics: Metrics;
  readonly dataDir: string;
  close(): Promise<void>;
}

/** Changefeeds over a running database, as another process of the service would have them. */
export function openChangefeeds(
  url: string,
  makeSink: () => ChangeSink,
  settings: Partial<FeedSettings> = {},
  clock: Clock = systemClock,
): OpenedChangefeeds {
  const pool = new Pool({ connectionString: url, max: 3 });
  pool.on('error', () => {});
  const metrics = createMetrics({ defaults: false });
  const dataDir = mkdtempSync(join(tmpdir(), 'tidemark-capture-'));
  const changefeeds: Changefeeds = new Changefeeds({
    ownUrl: url,
    dataDir,
    store: new ChangefeedStore(pool, secretBox('a secret of the tests')),
    makeSink,
    metrics: feedMetrics(
      metrics,
      () => changefeeds.statuses(),
      () => clock.now(),
    ),
    logger: createLogger({ service: 'capture', level: process.env['TEST_LOG_LEVEL'] ?? 'silent' }),
    clock,
    random: seededRandom(1),
    settings: {
      ...feedSettings,
      checkpointIntervalMs: 10,
      housekeepingMs: 200,
      ...settings,
    },
  });
  changefeeds.open();
  return {
    changefeeds,
    metrics,
    dataDir,
    async close() {
      await changefeeds.close();
      await pool.end();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export async function streams(changefeeds: Changefeeds, id: string): Promise<void> {
  await eventually(`${id} streams`, () => changefeeds.statuses().get(id)?.streaming === true);
}

/** @param server settings of the database server */
export async function openCaptureBench(
  settings: Partial<FeedSettings> = {},
  server: Readonly<Record<string, string>> = {},
  clock: Clock = systemClock,
): Promise<CaptureBench> {
  const postgres = await startPostgres({ migrated: true, settings: server });
  const topic = new MemoryTopic();
  const opened = openChangefeeds(postgres.url, () => topic.sink(), settings, clock);
  const { changefeeds, metrics, dataDir } = opened;
  try {
    await eventually('the changefeeds are loaded', () => changefeeds.isLoaded);
  } catch (error) {
    await opened.close();
    await postgres.stop();
    throw error;
  }
  return {
    postgres,
    topic,
    metrics,
    changefeeds,
    dataDir,
    async create(id, rules, config, uri = sinkUri) {
      await changefeeds.create({
        id,
        sinkUri: uri,
        config: completeConfig({ sink, ...config, filter: { rules: [...rules] } }),
      });
      await streams(changefeeds, id);
    },
    async received(count) {
      await eventually(`${count} messages`, () => topic.messages.length >= count);
    },
    async close() {
      await opened.close();
      await postgres.stop();
    },
  };
}
