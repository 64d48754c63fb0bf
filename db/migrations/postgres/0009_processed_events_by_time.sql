-- The ids of processed events, by the time that stands in a UUID of version 7 (RFC 9562 §5.7: its first 48 bits are
-- milliseconds), one partition a day. The id alone says where it belongs, so one primary key holds over all
-- partitions, and forgetting a day is dropping a table. Other ids, and those of days without a partition, are in
-- processed_events_other and are deleted by age. The consumer makes and drops the partitions.

ALTER TABLE processed_events RENAME TO processed_events_other;
ALTER INDEX processed_events_pkey RENAME TO processed_events_other_pkey;

CREATE TABLE processed_events (
  event_id     uuid PRIMARY KEY,
  processed_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (event_id);
ALTER TABLE processed_events ATTACH PARTITION processed_events_other DEFAULT;

-- Rows are appended in the order of their time: that is what a block range index is for, and it costs next to nothing.
CREATE INDEX processed_events_other_processed_at ON processed_events_other USING brin (processed_at);

-- Work that one process of several does from time to time: whoever holds the lease.
CREATE TABLE maintenance (
  task        text PRIMARY KEY,
  holder      text NOT NULL,
  lease_until timestamptz NOT NULL,
  done_at     timestamptz,
  -- What is older may be gone.
  horizon     timestamptz
);
