import type { TestPostgres } from '@tidemark/testkit';

/** Rows of a transaction. */
export const shapes = [1, 10, 1000] as const;

/** The table that is captured: a key, a number, a time and some text, about 150 bytes a row. */
export class SourceTable {
  readonly postgres: TestPostgres;
  #next = 1;

  constructor(postgres: TestPostgres) {
    this.postgres = postgres;
  }

  async create(): Promise<void> {
    await this.postgres.query(`
      CREATE TABLE bench (id bigint PRIMARY KEY, customer text NOT NULL, amount numeric(12, 2) NOT NULL,
                          placed_at timestamptz NOT NULL DEFAULT now(), note text)`);
    await this.postgres.query('CREATE PUBLICATION recv FOR TABLE bench');
    await this.postgres.query(`
      CREATE PROCEDURE write_rows(first bigint, total int, per_transaction int) LANGUAGE plpgsql AS $$
      BEGIN
        FOR start IN 0 .. total - 1 BY per_transaction LOOP
          INSERT INTO bench SELECT first + start + g, 'customer-' || g, g * 1.25, now(), repeat('n', 90)
            FROM generate_series(0, per_transaction - 1) g;
          COMMIT;
        END LOOP;
      END $$`);
  }

  /** A slot that keeps everything from now on for pg_recvlogical. */
  async slot(name: string): Promise<string> {
    await this.postgres.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [name]);
    return name;
  }

  /** Writes as fast as the server goes; nothing waits for the disk. */
  async write(rows: number, perTransaction: number): Promise<void> {
    const first = this.#next;
    this.#next += rows;
    await this.postgres.query('ALTER DATABASE sre_app SET synchronous_commit = off');
    await this.postgres.query(`CALL write_rows(${first}, ${rows}, ${perTransaction})`);
    await this.postgres.query('ALTER DATABASE sre_app RESET synchronous_commit');
    await this.postgres.query('CHECKPOINT');
  }

  /** Keys for rows that are written one by one. */
  takeIds(count: number): number {
    const first = this.#next;
    this.#next += count;
    return first;
  }
}
