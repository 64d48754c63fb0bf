-- Keys one of whose events is a dead letter. While a key is parked its later events become dead letters too, in order.
-- Offsets are those of the key's records in their partition.

CREATE TABLE parked_keys (
  pipeline        text   NOT NULL,
  topic           text   NOT NULL,
  partition       integer NOT NULL,
  -- The record's key; of a long one its SHA-256, see parking_key.
  key             bytea  NOT NULL,
  -- The event that parked the key, and the newest that failed since.
  parked_at       bigint NOT NULL,
  failed_at       bigint NOT NULL,
  -- Letters that were sent back pass if they belong to a later pass than this one, in which one of them failed again.
  failed_pass     bigint NOT NULL DEFAULT 0,
  -- The key's newest dead letter, and the newest of those that were sent back before.
  last_at         bigint NOT NULL,
  relettered_at   bigint NOT NULL DEFAULT -1,
  -- Every letter up to here was sent back or discarded.
  settled_through bigint NOT NULL DEFAULT -1,
  -- The letter that was sent back last, and the last that has come, whatever became of it then.
  sent_seq        bigint NOT NULL DEFAULT 0,
  returned_seq    bigint NOT NULL DEFAULT 0,
  parked_since    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (pipeline, topic, partition, key)
);

-- Numbers everything that is sent back.
CREATE SEQUENCE dlq_replay_seq;

ALTER TABLE dlq_events
  -- Where the event was when it became a dead letter for the first time: the order in which letters are sent back.
  ADD COLUMN origin_offset bigint,
  -- The newest record that is this letter, where several are the same: a crash may send a letter back twice.
  ADD COLUMN newest_offset bigint,
  -- The number under which it was sent back.
  ADD COLUMN replay_seq    bigint;

-- What a record's key is known by here: itself, unless it is too long for an index.
CREATE FUNCTION parking_key(key bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT CASE WHEN octet_length(key) <= 128 THEN key ELSE sha256(key) END';

CREATE INDEX dlq_events_parking_key ON dlq_events
  (pipeline, source_topic, source_partition, parking_key(key_bytes), source_offset);
