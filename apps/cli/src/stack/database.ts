import { hash } from '@node-rs/bcrypt';
import { defaultAccount } from '@tidemark/contracts';
import { migrate, seedDefaultAccount } from '@tidemark/db';
import { errorCode, TidemarkError } from '@tidemark/kernel';
import { Client, escapeIdentifier } from 'pg';

/** Cost of the seeded password's bcrypt hash. */
const bcryptCost = 10;

/** SQLSTATE of CREATE DATABASE when the name is taken (PostgreSQL docs, appendix A). */
const duplicateDatabase = '42P04';

/** Runs work on a connection of its own. */
export async function withDatabase<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  // A server that goes away breaks the connection; the statement that runs on it reports that.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Resolves when the server answers. */
export async function probeDatabase(url: string): Promise<void> {
  await withDatabase(maintenanceUrl(url), client => client.query('SELECT 1'));
}

export interface SchemaOptions {
  readonly databaseUrl: string;
  /** Embedded: the database is created and the default account seeded, because only this machine reaches it. */
  readonly embedded: boolean;
}

/** Creates the database where it is ours, applies the migrations, and seeds the first account. */
export async function prepareSchema(options: SchemaOptions): Promise<string> {
  if (options.embedded) await createDatabase(options.databaseUrl);
  return withDatabase(options.databaseUrl, async client => {
    const { applied, version } = await migrate(client);
    if (options.embedded) await seedDefault(client);
    return applied.length === 0 ? `up to date (${version})` : `${applied.length} migrations applied`;
  });
}

async function seedDefault(client: Client): Promise<void> {
  const { rows } = await client.query(`SELECT FROM users WHERE role = 'admin' LIMIT 1`);
  if (rows.length > 0) return; // hashing costs a tenth of a second; a warm start need not pay it
  const passwordHash = await hash(defaultAccount.password, { cost: bcryptCost });
  await seedDefaultAccount(client, { email: defaultAccount.email, passwordHash });
}

async function createDatabase(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await withDatabase(maintenanceUrl(url), async client => {
    const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rows.length > 0) return;
    await client.query(`CREATE DATABASE ${escapeIdentifier(name)}`).catch((error: unknown) => {
      if (errorCode(error) !== duplicateDatabase) throw error;
    });
  });
}

function maintenanceUrl(url: string): string {
  const server = new URL(url);
  server.pathname = '/postgres';
  return server.href;
}

/** Explains to people why a command could not reach the database. */
export function databaseUnreachable(url: string, cause: unknown): TidemarkError {
  const where = URL.canParse(url)
    ? `${new URL(url).pathname.slice(1)} at ${new URL(url).host}`
    : 'named by DATABASE_URL';
  return new TidemarkError('DATABASE_UNREACHABLE', `the database ${where} does not answer`, {
    cause,
    hint: 'Start the stack with `tidemark up`, or point DATABASE_URL at the right server.',
  });
}
