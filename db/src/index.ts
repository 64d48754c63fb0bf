export { type MigrateOptions, type MigrationReport, migrate } from './migrate.ts';
export { type Migration, postgresMigrations, readMigrations } from './migration-files.ts';
export { type DefaultAccount, seedDefaultAccount } from './seed.ts';
export type { SqlClient, SqlResult } from './sql-client.ts';
