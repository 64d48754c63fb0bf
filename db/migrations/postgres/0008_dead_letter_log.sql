-- The table of dead letters is a function of the topic and of the log of actions, so that it can be built again.

-- Null when the record had no value: a replay must not make an empty one of it.
ALTER TABLE dlq_events ALTER COLUMN payload_bytes DROP NOT NULL;

-- What an edit put in place of the payload.
ALTER TABLE dlq_actions ADD COLUMN payload bytea;
UPDATE dlq_actions AS a SET payload = e.edited
  FROM dlq_events AS e WHERE e.event_id = a.event_id AND a.action = 'edit';

-- What is JSON need not be jsonb (1e999999, or a nesting without end). A dead letter that the table refused would be
-- dead-lettered itself, with the same payload, for ever.
CREATE FUNCTION jsonb_or_null(document text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN document::jsonb;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END;
$$;

-- Where a pipeline's books begin: records before it were never its business.
ALTER TABLE pipeline_positions ADD COLUMN first_offset bigint NOT NULL DEFAULT 0;
