import type { SqlClient } from './sql-client.ts';

export interface DefaultAccount {
  /** Lower case. */
  readonly email: string;
  /** bcrypt hash; making it is the caller's work, so that this package needs no cryptography. */
  readonly passwordHash: string;
}

/**
 * Puts the first administrator in place. An account that exists stays as it is, with whatever password it has by now,
 * and an account that was deleted on purpose comes back only while there is no administrator at all.
 * @returns whether the account was created
 */
export async function seedDefaultAccount(client: SqlClient, account: DefaultAccount): Promise<boolean> {
  const { rows } = await client.query(
    `INSERT INTO users (email, password_hash, role)
     SELECT $1, $2, 'admin' WHERE NOT EXISTS (SELECT FROM users WHERE role = 'admin')
     ON CONFLICT (email) DO NOTHING
     RETURNING id`,
    [account.email, account.passwordHash],
  );
  return rows.length === 1;
}
