import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hash } from '@node-rs/bcrypt';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { tidemarkHere } from './in-process.ts';

describe('tidemark verify-password', () => {
  let postgres: TestPostgres;
  before(async () => {
    postgres = await startPostgres({ migrated: true });
    await postgres.query('INSERT INTO users (email, password_hash) VALUES ($1, $2), ($3, NULL)', [
      'ada@example.com',
      await hash('correct horse', { cost: 4 }),
      'nobody@example.com',
    ]);
  });
  after(() => postgres.stop());

  const verify = (email: string, typed?: string, url = postgres.url) =>
    tidemarkHere(['verify-password', email, '--data', '/nowhere'], {
      env: { DATABASE_URL: url },
      ...(typed === undefined ? {} : { typed }),
    });

  test('tells a password that is right from one that is not, by exit code too', async () => {
    const right = await verify('Ada@Example.com', 'correct horse');
    assert.deepEqual([right.code, right.stdout], [0, '  the password of ada@example.com matches\n']);
    const wrong = await verify('ada@example.com', 'correct horse ');
    assert.deepEqual([wrong.code, wrong.stdout], [1, '  the password of ada@example.com does not match\n']);
  });

  for (const [what, email, typed, says] of [
    ['an unknown account', 'eve@example.com', 'x', 'there is no account eve@example.com'],
    ['an account without password', 'nobody@example.com', 'x', 'nobody@example.com has no password'],
    ['no answer', 'ada@example.com', undefined, 'no password was given'],
  ] as const) {
    test(`says so of ${what}`, async () => {
      const { code, stderr } = await verify(email, typed);
      assert.equal(code, 1);
      assert.equal(stderr.split('\n')[0], `tidemark: ${says}`);
    });
  }

  test('says that the database has no tables yet', async () => {
    const empty = new URL(postgres.url);
    empty.pathname = '/postgres';
    assert.match(
      (await verify('ada@example.com', 'x', empty.href)).stderr,
      /^tidemark: the database has no table of users\n/,
    );
  });

  test('says which database does not answer, without its password', async () => {
    const { code, stderr } = await verify(
      'ada@example.com',
      'x',
      'postgres://me:hunter2@127.0.0.1:1/sre_app',
    );
    assert.equal(code, 1);
    assert.match(stderr, /^tidemark: the database sre_app at 127\.0\.0\.1:1 does not answer/);
    assert.doesNotMatch(stderr, /hunter2/);
  });

  test('says so when DATABASE_URL is no URL', async () => {
    const { code, stderr } = await verify('ada@example.com', 'x', 'not a url');
    assert.equal(code, 1);
    assert.match(stderr, /^tidemark: the database named by DATABASE_URL does not answer/);
  });
});
