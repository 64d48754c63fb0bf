-- A changefeed can capture any reachable PostgreSQL, and knows the server that its checkpoint belongs to.

ALTER TABLE changefeeds
  -- Connection URL of the captured database; null for this one. Sealed when CAPTURE_SECRET is set.
  ADD COLUMN source_uri      text,
  -- Identifier and timeline of the server on which the checkpoint was taken, and where the timeline began.
  ADD COLUMN source_system   text,
  ADD COLUMN source_timeline integer,
  ADD COLUMN source_timeline_start pg_lsn,
  -- True once a slot of the changefeed's name is its own: none was there when it asked for one.
  ADD COLUMN slot_claimed    boolean NOT NULL DEFAULT false;

UPDATE changefeeds SET slot_claimed = true;
