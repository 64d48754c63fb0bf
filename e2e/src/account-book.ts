import { systemClock } from '@tidemark/kernel';
import type { TestPostgres } from '@tidemark/testkit';
import { Client } from 'pg';

/** Writes random transactions: rows added, changed, removed and renumbered, savepoints and aborts among them. */
export class AccountBook {
  readonly #postgres: TestPostgres;
  readonly #random: () => number;

  constructor(postgres: TestPostgres, random: () => number) {
    this.#postgres = postgres;
    this.#random = random;
  }

  async open(): Promise<void> {
    await this.#postgres.query(`
      CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL, note text);
      ALTER TABLE accounts REPLICA IDENTITY FULL;
      CREATE TABLE entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account int, delta int)`);
  }

  /** Goes on over crashes of the database: what it did not acknowledge may be there or not. */
  async writeUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const client = new Client({ connectionString: this.#postgres.url, connectionTimeoutMillis: 2000 });
      client.on('error', () => {});
      try {
        await client.connect();
        while (!signal.aborted) await this.#transaction(client);
      } catch {
        await systemClock.sleep(50);
      } finally {
        await client.end().catch(() => {});
      }
    }
  }

  /** The rows as messages write them. */
  async rows(table: string): Promise<ReadonlyMap<string, Record<string, string | null>>> {
    const rows = await this.#postgres.query<{ row: Record<string, string | number | null> }>(
      `SELECT to_jsonb(t) AS row FROM ${table} t`,
    );
    const texts = (row: Record<string, string | number | null>) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
      );
    return new Map(rows.map(({ row }) => [String(row['id']), texts(row)]));
  }

  async #transaction(client: Client): Promise<void> {
    const random = this.#random;
    const id = 1 + Math.floor(random() * 50);
    const delta = Math.floor(random() * 100) - 50;
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO accounts VALUES ($1, $2, repeat('n', $3))
         ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance`,
      [id, delta, Math.floor(random() * 200)],
    );
    if (random() < 0.3) {
      await client.query('SAVEPOINT s');
      await client.query('UPDATE accounts SET note = NULL WHERE id = $1', [id]);
      await client.query(random() < 0.5 ? 'ROLLBACK TO s' : 'RELEASE s');
    }
    await client.query('INSERT INTO entries (account, delta) SELECT $1, $2 FROM generate_series(1, $3)', [
      id,
      delta,
      1 + Math.floor(random() * 3),
    ]);
    if (random() < 0.1) await client.query('DELETE FROM entries WHERE id % 7 = $1', [id % 7]);
    if (random() < 0.1) await client.query('UPDATE accounts SET id = id + 1000 WHERE id = $1', [id]);
    if (random() < 0.1) await client.query('DELETE FROM accounts WHERE id > 1000');
    await client.query(random() < 0.1 ? 'ROLLBACK' : 'COMMIT');
  }
}
