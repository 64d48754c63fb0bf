-- Tells capture about schema statements, in their place among the changes of rows. Logical replication does not carry
-- them. Run once, as a superuser, in the database that is captured; `DROP FUNCTION tidemark_log_ddl CASCADE` removes it.
CREATE OR REPLACE FUNCTION tidemark_log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
  concerned record;
BEGIN
  -- A dropped index is not in the catalog any more when its drop is told, and nothing else says whose it was.
  IF tg_event = 'ddl_command_start' THEN
    PERFORM set_config('tidemark.indexes', COALESCE(
      (SELECT json_object_agg(i.indexrelid, i.indrelid)::text
         FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE t.relkind IN ('r', 'p') AND t.relpersistence = 'p' AND NOT t.relispartition
          AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'), '{}'), false);
    RETURN;
  END IF;
  FOR concerned IN EXECUTE CASE
    WHEN tg_event = 'sql_drop' AND tg_tag = 'DROP INDEX' THEN
      'SELECT DISTINCT n.nspname AS schema, t.relname AS name
         FROM pg_event_trigger_dropped_objects() d
         JOIN pg_class t
           ON t.oid = (NULLIF(current_setting(''tidemark.indexes'', true), '''')::json ->> d.objid::text)::oid
         JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE d.classid = ''pg_class''::regclass'
    WHEN tg_event = 'sql_drop' THEN
      'SELECT schema_name AS schema, object_name AS name FROM pg_event_trigger_dropped_objects()
        WHERE object_type = ''table'' AND NOT is_temporary'
    ELSE
      'SELECT DISTINCT n.nspname AS schema, t.relname AS name
         FROM pg_event_trigger_ddl_commands() c
         LEFT JOIN pg_index i ON i.indexrelid = c.objid
         JOIN pg_class t ON t.oid = COALESCE(i.indrelid, c.objid)
         JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE c.classid = ''pg_class''::regclass AND NOT c.in_extension
          AND t.relkind IN (''r'', ''p'') AND t.relpersistence = ''p'''
    END
  LOOP
    PERFORM pg_logical_emit_message(true, 'tidemark ddl', json_build_object(
      'tag', tg_tag, 'schema', concerned.schema, 'table', concerned.name, 'sql', current_query())::text);
  END LOOP;
  IF tg_event = 'sql_drop' AND tg_tag = 'DROP INDEX' THEN
    PERFORM set_config('tidemark.indexes', '{}', false);
  END IF;
END $$;

DROP EVENT TRIGGER IF EXISTS tidemark_ddl_start;
DROP EVENT TRIGGER IF EXISTS tidemark_ddl_end;
DROP EVENT TRIGGER IF EXISTS tidemark_ddl_drop;
CREATE EVENT TRIGGER tidemark_ddl_start ON ddl_command_start WHEN TAG IN ('DROP INDEX')
  EXECUTE FUNCTION tidemark_log_ddl();
CREATE EVENT TRIGGER tidemark_ddl_end ON ddl_command_end EXECUTE FUNCTION tidemark_log_ddl();
CREATE EVENT TRIGGER tidemark_ddl_drop ON sql_drop WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP INDEX')
  EXECUTE FUNCTION tidemark_log_ddl();
