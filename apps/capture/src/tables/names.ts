/**
 * The database that messages name. PostgreSQL has two levels above a table and Canal-JSON has one: tables of the
 * schema `public` are said to be in the database itself, others in `<database>.<schema>`.
 */
export function messageDatabase(database: string, schema: string): string {
  return schema === 'public' ? database : `${database}.${schema}`;
}
