-- What people do with dead letters, and what a replay needs.

ALTER TABLE dlq_events
  -- The original record's key and headers as they were: [[name, base64 of the value], …].
  ADD COLUMN key_bytes  bytea,
  ADD COLUMN headers    jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN status     text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replayed', 'discarded')),
  -- How often this event was sent back to its topic, this letter's own predecessors included.
  ADD COLUMN replays    integer NOT NULL DEFAULT 0,
  -- Set when somebody corrected the payload; a replay sends it instead of the original.
  ADD COLUMN edited     bytea;
CREATE INDEX dlq_events_open ON dlq_events (pipeline, failed_at DESC) WHERE status = 'open';

-- Who did what with a dead letter, and why. Rows are only ever added.
CREATE TABLE dlq_actions (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id uuid NOT NULL,
  action   text NOT NULL CHECK (action IN ('edit', 'replay', 'discard')),
  actor    text NOT NULL,
  reason   text NOT NULL,
  acted_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dlq_actions_event ON dlq_actions (event_id, id);
