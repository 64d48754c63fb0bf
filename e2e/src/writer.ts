import { errorCode, systemClock } from '@tidemark/kernel';
import { Client } from 'pg';
import { createFeed } from './changefeed.ts';
import type { Stack } from './stack.ts';

/** How many rows the writer works on. */
const rows = 8;

/** The table it writes to. */
export const probeTable = 'probe';

/**
 * Writes to a table of its own without a pause and notes every version that the database acknowledged. When the database dies it
 * connects again and goes on. The outcome of a statement that was cut off is unknown to it, as to every client: the
 * version may or may not be there, and the next one is higher in any case.
 */
export class Writer {
  readonly #stack: Stack;
  /** Acknowledged versions of each row, by id. */
  readonly #versions = new Map<number, number[]>();
  #stopping = false;
  #loop: Promise<void> | undefined;
  #version = 0;
  /** Changes that the database acknowledged. */
  acknowledged = 0;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** Creates the table and a changefeed over it, and begins to write. */
  async start(): Promise<void> {
    await this.#stack.query(`CREATE TABLE ${probeTable} (id integer PRIMARY KEY, version integer NOT NULL)`);
    await createFeed(this.#stack, 'probe', [`sre_app.${probeTable}`]);
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const client = new Client({ connectionString: this.#stack.databaseUrl, connectionTimeoutMillis: 2000 });
      client.on('error', () => {});
      try {
        await client.connect();
        while (!this.#stopping) await this.#write(client);
      } catch (error) {
        if (isRefusal(error)) throw error;
        await systemClock.sleep(50);
      } finally {
        await client.end().catch(() => {});
      }
    }
  }

  async #write(client: Client): Promise<void> {
    this.#version += 1;
    const version = this.#version;
    const id = version % rows;
    await client.query(
      `INSERT INTO ${probeTable} VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET version = excluded.version`,
      [id, version],
    );
    this.acknowledged += 1;
    const known = this.#versions.get(id) ?? [];
    known.push(version);
    this.#versions.set(id, known);
    // A pace that leaves the services some of the two cores; the killing is what is tested, not the speed.
    await systemClock.sleep(4);
  }

  /** Whether the newest version of every row has reached the store. */
  async caughtUp(): Promise<boolean> {
    const [row] = await this.#stack.query<{ missing: number }>(
      `SELECT count(*)::int AS missing FROM ${probeTable} p WHERE NOT EXISTS (
         SELECT FROM change_events c
         WHERE c.table_name = $1 AND c.key = p.id::text AND c.data->>'version' = p.version::text
       )`,
      [probeTable],
    );
    return row?.missing === 0;
  }

  /** What the store lacks or tells differently: every acknowledged version exactly once, in ascending order. */
  async differences(): Promise<readonly string[]> {
    const stored = await this.#stack.query<{ key: string; versions: string[] }>(
      `SELECT key, array_agg(data->>'version' ORDER BY id) AS versions
       FROM change_events WHERE table_name = $1 GROUP BY key`,
      [probeTable],
    );
    const byKey = new Map(stored.map(({ key, versions }) => [Number(key), versions.map(Number)]));
    return [...this.#versions].flatMap(([id, acknowledged]) =>
      faultsOf(id, acknowledged, byKey.get(id) ?? []),
    );
  }
}

/**
 * True when the server answered and said no. Everything else is a connection that broke or could not be made yet,
 * as are SQLSTATE classes 08 (connection) and 57 (the server stops or starts; PostgreSQL docs, appendix A).
 */
function isRefusal(error: unknown): boolean {
  const state = errorCode(error) ?? '';
  return /^[0-9A-Z]{5}$/.test(state) && !/^(?:08|57)/.test(state) && !state.startsWith('E');
}

function faultsOf(id: number, acknowledged: readonly number[], told: readonly number[]): readonly string[] {
  const present = new Set(told);
  const missing = acknowledged.filter(version => !present.has(version));
  const found: string[] = [];
  if (missing.length > 0) found.push(`row ${id}: versions ${missing.join(', ')} are missing`);
  if (present.size !== told.length) found.push(`row ${id}: a version stands twice`);
  if (told.some((version, index) => version < (told[index - 1] ?? 0))) found.push(`row ${id}: out of order`);
  return found;
}
