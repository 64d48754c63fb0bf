import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { Client } from 'pg';
import { migrate, seedDefaultAccount } from '../src/index.ts';

describe('seedDefaultAccount', () => {
  let postgres: TestPostgres;
  let client: Client;
  const account = { email: 'admin@example.com', passwordHash: '$2b$10$first' };

  before(async () => {
    postgres = await startPostgres();
    client = new Client({ connectionString: postgres.url });
    await client.connect();
    await migrate(client);
  });
  after(async () => {
    await client.end();
    await postgres.stop();
  });
  beforeEach(() => client.query('TRUNCATE users CASCADE'));

  const users = () => postgres.query('SELECT email, password_hash, role FROM users ORDER BY email');

  test('creates an administrator once', async () => {
    assert.equal(await seedDefaultAccount(client, account), true);
    assert.equal(await seedDefaultAccount(client, account), false);
    assert.deepEqual(await users(), [
      { email: 'admin@example.com', password_hash: '$2b$10$first', role: 'admin' },
    ]);
  });

  test('never overwrites a password that was changed', async () => {
    await seedDefaultAccount(client, account);
    await client.query(`UPDATE users SET password_hash = '$2b$10$changed'`);
    assert.equal(await seedDefaultAccount(client, account), false);
    assert.equal((await users())[0]?.['password_hash'], '$2b$10$changed');
  });

  test('does not bring back an account that was deleted in favour of another administrator', async () => {
    await client.query(
      `INSERT INTO users (email, password_hash, role) VALUES ('real@example.com', 'x', 'admin')`,
    );
    assert.equal(await seedDefaultAccount(client, account), false);
    assert.equal((await users()).length, 1);
  });
});
