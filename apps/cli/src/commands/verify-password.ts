import { verify } from '@node-rs/bcrypt';
import { errorCode, exitCodes, TidemarkError } from '@tidemark/kernel';
import { type Command, dataOption } from '../command.ts';
import { addressesOf } from '../stack/addresses.ts';
import { databaseUnreachable, withDatabase } from '../stack/database.ts';
import { viewStack } from './stack-command.ts';

/** SQLSTATE of a statement about a table that is not there (PostgreSQL docs, appendix A). */
const undefinedTable = '42P01';

/** Tells whether a password is the one of an account. */
export const verifyPassword: Command = {
  name: 'verify-password',
  positionals: ['EMAIL'],
  summary: 'tell whether a password, typed or on stdin, is the one of an account',
  options: { data: dataOption },
  async run(input, { terminal, env }) {
    const email = (input.positionals[0] ?? '').toLowerCase();
    const { state } = await viewStack(input);
    const { databaseUrl } = addressesOf(state?.portOffset ?? 0, env);
    const hash = await readHash(databaseUrl, email);
    const password = await terminal.ask('  Password: ', { hidden: true });
    if (password === undefined) {
      throw new TidemarkError('NO_PASSWORD', 'no password was given', { hint: 'Type it, or pipe it in.' });
    }
    const matches = await verify(password, hash);
    terminal.print(
      matches ? `  the password of ${email} matches` : `  the password of ${email} does not match`,
    );
    return matches ? exitCodes.ok : exitCodes.failed;
  },
};

async function readHash(databaseUrl: string, email: string): Promise<string> {
  const rows = await withDatabase(databaseUrl, async client => {
    const result = await client.query<{ password_hash: string | null }>(
      'SELECT password_hash FROM users WHERE email = $1',
      [email],
    );
    return result.rows;
  }).catch((error: unknown) => {
    throw errorCode(error) === undefinedTable ? notMigrated() : databaseUnreachable(databaseUrl, error);
  });
  const hash = rows[0]?.password_hash;
  if (hash) return hash;
  throw rows.length === 0
    ? new TidemarkError('ACCOUNT_UNKNOWN', `there is no account ${email}`, {
        hint: 'Check the address; the console lists all under Users.',
      })
    : new TidemarkError('ACCOUNT_WITHOUT_PASSWORD', `${email} has no password`, {
        hint: 'An administrator can set one under Users.',
      });
}

function notMigrated(): TidemarkError {
  return new TidemarkError('DATABASE_EMPTY', 'the database has no table of users', {
    hint: 'Start the stack with `tidemark up`, which creates it.',
  });
}
