import type { Role, Row } from '@tidemark/contracts';
import type { Generated, GeneratedAlways } from 'kysely';

/** The tables that the api reads or writes; `db/migrations` is the truth. `bigint` and `numeric` arrive as text. */
export interface Schema {
  readonly users: UserTable;
  readonly sessions: SessionTable;
  readonly reviews: ReviewTable;
  readonly change_events: ChangeTable;
  readonly pipeline_positions: PositionTable;
}

interface UserTable {
  readonly id: GeneratedAlways<number>;
  readonly email: string;
  readonly password_hash: string | null;
  readonly role: Role;
  readonly trace_context: string | null;
  readonly created_at: Generated<Date>;
  readonly updated_at: Generated<Date>;
}

interface SessionTable {
  readonly token_sha256: Buffer;
  readonly user_id: number;
  readonly csrf_token: string;
  readonly created_at: Generated<Date>;
  readonly expires_at: Date;
  readonly address: string | null;
}

interface ReviewTable {
  readonly review_id: string;
  readonly user_key: string;
  readonly rating: number;
  readonly text: string;
  readonly created_at: Date;
}

interface ChangeTable {
  readonly id: GeneratedAlways<string>;
  readonly database: string;
  readonly table_name: string;
  readonly type: string;
  readonly key: string;
  readonly commit_ts: string;
  readonly committed_at: Date;
  readonly captured_at: Date;
  readonly stored_at: Date;
  readonly old: Row | null;
  readonly data: Row | null;
  readonly sql: string | null;
  readonly topic: string;
  readonly partition: number;
  readonly kafka_offset: string;
  readonly trace_id: string | null;
}

interface PositionTable {
  readonly pipeline: string;
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: string;
  readonly read: string;
  readonly delivered: string;
  readonly duplicate: string;
  readonly filtered: string;
  readonly dead_lettered: string;
  readonly updated_at: Date;
}
