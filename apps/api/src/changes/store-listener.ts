import { changeStoreChannel } from '@tidemark/contracts';
import { backoffDelayMs, type Clock } from '@tidemark/kernel';
import { Client } from 'pg';

export interface StoreListenerOptions {
  readonly databaseUrl: string;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly random: () => number;
  /** Told when the connection is lost or cannot be made; it is tried again. */
  readonly onLost: (error: unknown) => void;
}

export interface StoreListener {
  /** Calls back whenever the store announces new rows, and after each reconnect, until the signal aborts. */
  listen(onNews: () => void, signal: AbortSignal): Promise<void>;
}

const reconnect = { baseMs: 250, capMs: 10_000 };

/** Keeps one connection that listens for announcements of the change store (PostgreSQL docs, LISTEN). */
export function createStoreListener(options: StoreListenerOptions): StoreListener {
  return {
    async listen(onNews, signal) {
      for (let attempt = 0; !signal.aborted; attempt += 1) {
        try {
          await listenOnce(options.databaseUrl, signal, () => {
            attempt = 0;
            onNews();
          });
        } catch (error) {
          if (signal.aborted) return;
          options.onLost(error);
        }
        const delayMs = backoffDelayMs(reconnect, attempt, options.random);
        await options.clock.sleep(delayMs, signal).catch(() => {});
      }
    },
  };
}

/** One connection's life; rejects when it breaks. */
async function listenOnce(databaseUrl: string, signal: AbortSignal, onNews: () => void): Promise<void> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    application_name: 'tidemark-api-feed',
  });
  const ended = new Promise<never>((_, reject) => {
    client.on('error', reject);
    client.on('end', () => reject(new Error('the connection ended')));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  ended.catch(() => {}); // it may reject before the race below begins
  try {
    client.on('notification', onNews);
    await client.connect();
    await client.query(`LISTEN ${changeStoreChannel}`);
    onNews(); // rows that came while nobody listened
    await ended;
  } finally {
    await client.end().catch(() => {});
  }
}
