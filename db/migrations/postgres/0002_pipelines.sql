-- What pipelines write: effects, the ids of events that had them, positions and dead letters.

CREATE TABLE reviews (
  review_id     text PRIMARY KEY,
  user_key      text NOT NULL,
  rating        integer NOT NULL CHECK (rating BETWEEN 1 AND 5),
  text          text NOT NULL,
  trace_context text,
  created_at    timestamptz NOT NULL
);
CREATE INDEX reviews_created_at ON reviews (created_at DESC, review_id DESC);
ALTER TABLE reviews REPLICA IDENTITY FULL;

CREATE TABLE processed_events (
  event_id     uuid PRIMARY KEY,
  processed_at timestamptz NOT NULL DEFAULT now()
);

-- Browsing copy of the dead-letter topic, which is the truth.
CREATE TABLE dlq_events (
  event_id         uuid PRIMARY KEY,
  pipeline         text NOT NULL,
  source_topic     text NOT NULL,
  source_partition integer NOT NULL,
  source_offset    bigint NOT NULL,
  key              text,
  reason           text NOT NULL,
  error            text NOT NULL,
  -- Null when the payload is not JSON; the bytes are always in payload_bytes.
  original_payload jsonb,
  payload_bytes    bytea NOT NULL,
  attempts         integer NOT NULL DEFAULT 1,
  failed_at        timestamptz NOT NULL DEFAULT now(),
  UNIQUE (pipeline, source_topic, source_partition, source_offset)
);
CREATE INDEX dlq_events_failed_at ON dlq_events (failed_at DESC);

-- Position and ledger of a pipeline, written in the transaction of the effects they describe.
CREATE TABLE pipeline_positions (
  pipeline      text NOT NULL,
  topic         text NOT NULL,
  partition     integer NOT NULL,
  -- Every offset below is accounted for.
  next_offset   bigint NOT NULL,
  -- Fencing: a consumer takes ownership by raising it; an older owner's transaction fails.
  owner_epoch   bigint NOT NULL DEFAULT 0,
  read          bigint NOT NULL DEFAULT 0,
  delivered     bigint NOT NULL DEFAULT 0,
  duplicate     bigint NOT NULL DEFAULT 0,
  filtered      bigint NOT NULL DEFAULT 0,
  dead_lettered bigint NOT NULL DEFAULT 0,
  updated_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (pipeline, topic, partition),
  CHECK (read = delivered + duplicate + filtered + dead_lettered)
);
