-- Tells capture about schema statements, in their place among the changes of rows. Logical replication does not carry
-- them. Run once, as a superuser, in the database that is captured; `DROP FUNCTION tidemark_log_ddl CASCADE` removes it.
CREATE OR REPLACE FUNCTION tidemark_log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
  concerned record;
BEGIN
  FOR concerned IN EXECUTE CASE tg_event
    WHEN 'sql_drop' THEN
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
END $$;

DROP EVENT TRIGGER IF EXISTS tidemark_ddl_end;
DROP EVENT TRIGGER IF EXISTS tidemark_ddl_drop;
CREATE EVENT TRIGGER tidemark_ddl_end ON ddl_command_end EXECUTE FUNCTION tidemark_log_ddl();
CREATE EVENT TRIGGER tidemark_ddl_drop ON sql_drop WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED')
  EXECUTE FUNCTION tidemark_log_ddl();
