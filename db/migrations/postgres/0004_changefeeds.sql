-- Changefeeds of the capture service: configuration, state and the checkpoint that makes a restart exact.

CREATE TABLE changefeeds (
  id             text PRIMARY KEY,
  sink_uri       text NOT NULL,
  config         jsonb NOT NULL DEFAULT '{}',
  state          text NOT NULL DEFAULT 'normal',
  error          jsonb,
  -- Commit end up to which the broker has acknowledged everything, and the commitTs given to that transaction.
  -- Stored before the position is confirmed to the database, so a restart continues the same numbering.
  checkpoint_lsn pg_lsn,
  checkpoint_ts  numeric(20) NOT NULL DEFAULT 0,
  start_ts       numeric(20) NOT NULL DEFAULT 0,
  target_ts      numeric(20) NOT NULL DEFAULT 0,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now()
);
