import type { Pool } from 'pg';
import { formatLsn, parseLsn } from '../protocol/lsn.ts';
import type { TableCopy } from '../snapshot/table-copy.ts';
import type { Checkpoint } from '../stream/checkpointer.ts';
import type { Changefeed, ChangefeedError, ChangefeedState } from './changefeed.ts';
import { completeConfig, type GivenConfig, type ReplicaConfig } from './replica-config.ts';

interface Row {
  id: string;
  sink_uri: string;
  config: StoredConfig;
  state: ChangefeedState;
  error: ChangefeedError | null;
  checkpoint_lsn: string | null;
  checkpoint_ts: string;
  start_ts: string;
  target_ts: string;
  copies: TableCopy[];
  created_at: Date;
}

/** The configuration with the key of hashed columns, in hexadecimal digits. */
interface StoredConfig extends GivenConfig {
  mask_key?: string;
}

/** What a client decides about a new changefeed. */
export interface NewChangefeed {
  readonly id: string;
  readonly sinkUri: string;
  readonly config: ReplicaConfig;
  readonly maskKey: Uint8Array;
  readonly startTs: bigint;
}

/** The table of changefeeds. */
export class ChangefeedStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async list(): Promise<readonly Changefeed[]> {
    const { rows } = await this.#pool.query<Row>('SELECT * FROM changefeeds ORDER BY id');
    return rows.map(fromRow);
  }

  async find(id: string): Promise<Changefeed | undefined> {
    const { rows } = await this.#pool.query<Row>('SELECT * FROM changefeeds WHERE id = $1', [id]);
    return rows[0] === undefined ? undefined : fromRow(rows[0]);
  }

  /** Adds a changefeed; undefined when the id is taken. */
  async add({ id, sinkUri, config, maskKey, startTs }: NewChangefeed): Promise<Changefeed | undefined> {
    const { rows } = await this.#pool.query<Row>(
      `INSERT INTO changefeeds (id, sink_uri, config, start_ts, checkpoint_ts) VALUES ($1, $2, $3, $4, $4)
       ON CONFLICT (id) DO NOTHING RETURNING *`,
      [id, sinkUri, JSON.stringify(toStored(config, maskKey)), startTs.toString()],
    );
    return rows[0] === undefined ? undefined : fromRow(rows[0]);
  }

  async remove(id: string): Promise<void> {
    await this.#pool.query('DELETE FROM changefeeds WHERE id = $1', [id]);
  }

  /** Changes what a client may change. */
  async update({ id, sinkUri, config, maskKey }: Changefeed): Promise<void> {
    await this.#pool.query(
      'UPDATE changefeeds SET sink_uri = $2, config = $3, updated_at = now() WHERE id = $1',
      [id, sinkUri, JSON.stringify(toStored(config, maskKey))],
    );
  }

  async setState(id: string, state: ChangefeedState, error: ChangefeedError | null): Promise<void> {
    await this.#pool.query(
      'UPDATE changefeeds SET state = $2, error = $3, updated_at = now() WHERE id = $1',
      [id, state, error === null ? null : JSON.stringify(error)],
    );
  }

  /** Makes a checkpoint durable. It must be before its position is confirmed to the slot. */
  async setCheckpoint(
    id: string,
    { lsn, commitTs }: Checkpoint,
    copies: readonly TableCopy[],
  ): Promise<void> {
    await this.#pool.query({
      name: 'set-checkpoint',
      text: `UPDATE changefeeds SET checkpoint_lsn = $2, checkpoint_ts = $3, copies = $4, updated_at = now()
              WHERE id = $1`,
      values: [id, formatLsn(lsn), commitTs.toString(), JSON.stringify(copies)],
    });
  }

  /** Makes a list of copies durable. */
  async setCopies(id: string, copies: readonly TableCopy[]): Promise<void> {
    await this.#pool.query('UPDATE changefeeds SET copies = $2, updated_at = now() WHERE id = $1', [
      id,
      JSON.stringify(copies),
    ]);
  }

  /** Fails when the database does not answer. */
  async ping(): Promise<void> {
    await this.#pool.query('SELECT 1');
  }
}

function toStored(config: ReplicaConfig, maskKey: Uint8Array): StoredConfig {
  return { ...config, mask_key: Buffer.from(maskKey).toString('hex') };
}

function fromRow(row: Row): Changefeed {
  return {
    id: row.id,
    sinkUri: row.sink_uri,
    config: completeConfig(row.config),
    maskKey: Buffer.from(row.config.mask_key ?? '', 'hex'),
    state: row.state,
    error: row.error,
    checkpointLsn: row.checkpoint_lsn === null ? null : parseLsn(row.checkpoint_lsn),
    checkpointTs: BigInt(row.checkpoint_ts),
    startTs: BigInt(row.start_ts),
    targetTs: BigInt(row.target_ts),
    copies: row.copies,
    createdAt: row.created_at,
  };
}
