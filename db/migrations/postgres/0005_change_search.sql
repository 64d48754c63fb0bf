-- What the filters of the change store are looked up by, in the order in which pages are read.

DROP INDEX change_events_table;
CREATE INDEX change_events_table ON change_events (table_name, id DESC);

-- An index entry has to fit into a third of a page, and the key of a table without primary key is its whole row: only
-- the beginning is indexed, and the key itself compared after.
DROP INDEX change_events_key;
CREATE INDEX change_events_key ON change_events (left(key, 200), table_name, id DESC);
