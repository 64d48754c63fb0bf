import type { Pool } from 'pg';
import { formatLsn, parseLsn } from '../protocol/lsn.ts';
import type { TableCopy } from '../snapshot/table-copy.ts';
import type { Checkpoint } from '../stream/checkpointer.ts';
import type { Changefeed, ChangefeedError, ChangefeedState } from './changefeed.ts';
import { completeConfig, type GivenConfig, type ReplicaConfig } from './replica-config.ts';
import type { SecretBox } from './secret-box.ts';
import { type DatabaseIdentity, identityQuery, type SourceIdentity } from './source-identity.ts';

interface Row {
  id: string;
  sink_uri: string;
  source_uri: string | null;
  config: StoredConfig;
  state: ChangefeedState;
  error: ChangefeedError | null;
  checkpoint_lsn: string | null;
  checkpoint_ts: string;
  source_system: string | null;
  source_timeline: number | null;
  source_timeline_start: string | null;
  slot_claimed: boolean;
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
  readonly sourceUri: string | null;
  readonly config: ReplicaConfig;
  readonly maskKey: Uint8Array;
  readonly startTs: bigint;
}

/** The table of changefeeds. URIs are kept sealed, because they hold credentials. */
export class ChangefeedStore {
  readonly #pool: Pool;
  readonly #box: SecretBox;

  constructor(pool: Pool, box: SecretBox) {
    this.#pool = pool;
    this.#box = box;
  }

  async list(): Promise<readonly Changefeed[]> {
    const { rows } = await this.#pool.query<Row>('SELECT * FROM changefeeds ORDER BY id');
    return rows.map(row => this.#fromRow(row));
  }

  async find(id: string): Promise<Changefeed | undefined> {
    const { rows } = await this.#pool.query<Row>('SELECT * FROM changefeeds WHERE id = $1', [id]);
    return rows[0] === undefined ? undefined : this.#fromRow(rows[0]);
  }

  /** Adds a changefeed; undefined when the id is taken. */
  async add(feed: NewChangefeed): Promise<Changefeed | undefined> {
    const { rows } = await this.#pool.query<Row>(
      `INSERT INTO changefeeds (id, sink_uri, source_uri, config, start_ts, checkpoint_ts)
       VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (id) DO NOTHING RETURNING *`,
      [feed.id, ...this.#decided(feed), feed.startTs.toString()],
    );
    return rows[0] === undefined ? undefined : this.#fromRow(rows[0]);
  }

  async remove(id: string): Promise<void> {
    await this.#pool.query('DELETE FROM changefeeds WHERE id = $1', [id]);
  }

  /** Changes what a client may change. */
  async update(feed: Changefeed): Promise<void> {
    await this.#pool.query(
      `UPDATE changefeeds SET sink_uri = $2, source_uri = $3, config = $4, updated_at = now() WHERE id = $1`,
      [feed.id, ...this.#decided(feed)],
    );
  }

  async setState(id: string, state: ChangefeedState, error: ChangefeedError | null): Promise<void> {
    await this.#pool.query(
      'UPDATE changefeeds SET state = $2, error = $3, updated_at = now() WHERE id = $1',
      [id, state, error === null ? null : JSON.stringify(error)],
    );
  }

  /** From now on a slot of the changefeed's name is its own. It must be before the slot is created. */
  async claimSlot(id: string): Promise<void> {
    await this.#pool.query('UPDATE changefeeds SET slot_claimed = true, updated_at = now() WHERE id = $1', [
      id,
    ]);
  }

  /** Keeps the server that checkpoints belong to from now on. */
  async setSource(id: string, { system, timeline, timelineStart }: SourceIdentity): Promise<void> {
    await this.#pool.query(
      `UPDATE changefeeds SET source_system = $2, source_timeline = $3, source_timeline_start = $4,
              updated_at = now() WHERE id = $1`,
      [id, system, timeline, formatLsn(timelineStart)],
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

  /** The server and database that keep the changefeeds. */
  async identity(): Promise<DatabaseIdentity> {
    const { rows } = await this.#pool.query<DatabaseIdentity>(identityQuery);
    return rows[0] ?? { system: '', database: '' };
  }

  /** Fails when the database does not answer. */
  async ping(): Promise<void> {
    await this.#pool.query('SELECT 1');
  }

  /** URIs and configuration as they are kept. */
  #decided({
    sinkUri,
    sourceUri,
    config,
    maskKey,
  }: Pick<Changefeed, 'sinkUri' | 'sourceUri' | 'config' | 'maskKey'>): readonly (string | null)[] {
    return [
      this.#box.seal(sinkUri),
      sourceUri === null ? null : this.#box.seal(sourceUri),
      JSON.stringify({ ...config, mask_key: Buffer.from(maskKey).toString('hex') } satisfies StoredConfig),
    ];
  }

  #fromRow(row: Row): Changefeed {
    return {
      id: row.id,
      sinkUri: this.#box.open(row.sink_uri),
      sourceUri: row.source_uri === null ? null : this.#box.open(row.source_uri),
      config: completeConfig(row.config),
      maskKey: Buffer.from(row.config.mask_key ?? '', 'hex'),
      state: row.state,
      error: row.error,
      checkpointLsn: row.checkpoint_lsn === null ? null : parseLsn(row.checkpoint_lsn),
      checkpointTs: BigInt(row.checkpoint_ts),
      source: sourceOf(row),
      slotClaimed: row.slot_claimed,
      startTs: BigInt(row.start_ts),
      targetTs: BigInt(row.target_ts),
      copies: row.copies,
      createdAt: row.created_at,
    };
  }
}

function sourceOf(row: Row): SourceIdentity | null {
  const { source_system: system, source_timeline: timeline, source_timeline_start: start } = row;
  if (system === null || timeline === null || start === null) return null;
  return { system, timeline, timelineStart: parseLsn(start) };
}
