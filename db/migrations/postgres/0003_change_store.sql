-- The change store: every captured change, searchable.

CREATE TABLE change_events (
  -- Writers hold an advisory lock while they insert, so ids become visible in ascending order: a reader that
  -- follows the table by id never misses a row.
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- '<changefeed>:<commitTs>:<index>' of our capture; composed from table, key, commitTs and type for TiCDC's.
  change_id       text NOT NULL UNIQUE,
  database        text NOT NULL,
  table_name      text NOT NULL,
  type            text NOT NULL,
  key             text NOT NULL,
  -- Unsigned 64-bit in the source; numeric(20) is exact and sorts.
  commit_ts       numeric(20) NOT NULL,
  committed_at    timestamptz NOT NULL,
  captured_at     timestamptz NOT NULL,
  stored_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  old             jsonb,
  data            jsonb,
  sql             text,
  topic           text NOT NULL,
  partition       integer NOT NULL,
  kafka_offset    bigint NOT NULL,
  trace_id        text
);
CREATE INDEX change_events_table ON change_events (database, table_name, id DESC);
CREATE INDEX change_events_key ON change_events (table_name, key, id DESC);
CREATE INDEX change_events_committed_at ON change_events (committed_at DESC);
CREATE INDEX change_events_data ON change_events USING gin (data jsonb_path_ops);
