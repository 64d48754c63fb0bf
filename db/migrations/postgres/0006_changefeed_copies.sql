-- How far the copies of existing rows have come: a list of {schema, name, after, rows, isDone}, written with the checkpoint.

ALTER TABLE changefeeds ADD COLUMN copies jsonb NOT NULL DEFAULT '[]';
