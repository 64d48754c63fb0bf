import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { defaultAccount, ErrorBody, Me, Session } from '@tidemark/contracts';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { assertShape } from './contract-checks.ts';
import { type RunningApi, runApi, seedAdmin } from './running-api.ts';

describe('sign-in', () => {
  let postgres: TestPostgres;
  let api: RunningApi;

  before(async () => {
    postgres = await startPostgres({ migrated: true });
  });
  after(() => postgres.stop());
  beforeEach(async () => {
    await postgres.query('TRUNCATE users CASCADE');
    await seedAdmin(postgres);
    api = await runApi(postgres.url, { SIGN_IN_ATTEMPTS_MAX: '3' });
  });
  afterEach(() => api.service.stop());

  const login = (email: string, password: string, headers = {}) =>
    api.ask('POST', '/api/auth/login', { body: { email, password }, headers });
  const cookieOf = (headers: Headers) => (headers.get('set-cookie') ?? '').split(';')[0] ?? '';

  test('gives scripts a bearer token and browsers a cookie that scripts cannot read', async () => {
    const answer = await login('ADMIN@example.com', defaultAccount.password);
    assert.equal(answer.status, 200);
    assertShape(Session, answer.body);
    assert.match(answer.headers.get('set-cookie') ?? '', /; HttpOnly; SameSite=Lax$/);
    assert.doesNotMatch(answer.headers.get('set-cookie') ?? '', /Secure/);

    const bearer = await api.ask('GET', '/api/auth/me', { token: answer.body.token });
    assertShape(Me, bearer.body);
    assert.equal(bearer.body.csrfToken, null);
    const browser = await api.ask('GET', '/api/auth/me', {
      headers: { cookie: cookieOf(answer.headers) },
    });
    assertShape(Me, browser.body);
    assert.equal(browser.body.csrfToken, answer.body.csrfToken);
  });

  test('marks the cookie secure where the request came by HTTPS', async () => {
    const answer = await login(defaultAccount.email, defaultAccount.password, {
      'x-forwarded-proto': 'https',
    });
    assert.match(answer.headers.get('set-cookie') ?? '', /; Secure/);
  });

  test('answers a wrong password and an unknown account alike', async () => {
    await postgres.query(`INSERT INTO users (email, password_hash) VALUES ('none@example.com', NULL)`);
    const wrong = await login(defaultAccount.email, 'not-the-password');
    const unknown = await login('nobody@example.com', 'not-the-password');
    const without = await login('none@example.com', 'not-the-password');
    assert.equal(wrong.status, 401);
    assertShape(ErrorBody, wrong.body);
    assert.deepEqual([unknown.status, unknown.body], [wrong.status, wrong.body]);
    assert.deepEqual([without.status, without.body], [wrong.status, wrong.body]);
  });

  test('keeps neither the token nor anything that could be used as one', async () => {
    const { token } = await api.signIn();
    const tables = await postgres.query<{ content: string }>(
      `SELECT string_agg(s::text, '') AS content FROM sessions s
       UNION ALL SELECT string_agg(u::text, '') FROM users u`,
    );
    const stored = JSON.stringify(tables);
    assert.ok(!stored.includes(token));
    assert.ok(!stored.includes(Buffer.from(token).toString('hex')));
    const [row] = await postgres.query<{ hash: Buffer }>('SELECT token_sha256 AS hash FROM sessions');
    const asToken = await api.ask('GET', '/api/auth/me', { token: row?.hash.toString('base64url') ?? '' });
    assert.equal(asToken.status, 401);
  });

  test('refuses unsafe requests by cookie without the CSRF token', async () => {
    const answer = await login(defaultAccount.email, defaultAccount.password);
    assertShape(Session, answer.body);
    const cookie = cookieOf(answer.headers);
    const out = (headers: Record<string, string>) => api.ask('POST', '/api/auth/logout', { headers });
    assert.equal((await out({ cookie })).code, 'CSRF_TOKEN_INVALID');
    assert.equal((await out({ cookie, 'x-csrf-token': 'wrong' })).code, 'CSRF_TOKEN_INVALID');
    assert.equal((await api.ask('GET', '/api/users', { headers: { cookie } })).status, 200);
    const right = await out({ cookie, 'x-csrf-token': answer.body.csrfToken });
    assert.equal(right.status, 204);
    assert.match(right.headers.get('set-cookie') ?? '', /^tidemark_session=; Max-Age=0/);
    assert.equal((await api.ask('GET', '/api/auth/me', { headers: { cookie } })).status, 401);
  });

  test('limits failed sign-ins by account, and says when to come back', async () => {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      assert.equal((await login(defaultAccount.email, 'guess')).status, 401);
    }
    const refused = await login(defaultAccount.email, defaultAccount.password);
    assert.equal(refused.status, 429);
    assert.equal(refused.code, 'TOO_MANY_ATTEMPTS');
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    assert.equal((await login('other@example.com', 'guess')).status, 401, 'others are not affected');
  });

  test('limits failed sign-ins by address over many accounts', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.7' };
    const guesses = Array.from({ length: 15 }, (_, index) => login(`user${index}@example.com`, 'x', headers));
    assert.ok((await Promise.all(guesses)).every(({ status }) => status === 401));
    assert.equal((await login('user99@example.com', 'x', headers)).status, 429);
    assert.equal((await login('user99@example.com', 'x')).status, 401, 'other addresses are not affected');
  });

  test('does not count sign-ins that succeed', async () => {
    for (let attempt = 0; attempt < 5; attempt += 1) await api.signIn();
  });

  test('lets many guesses at once not slip through together', async () => {
    const guesses = Array.from({ length: 12 }, () => login(defaultAccount.email, 'guess'));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    assert.equal(statuses.filter(status => status === 401).length, 3);
    assert.equal(statuses.filter(status => status === 429).length, 9);
  });

  test('registers viewers, once per address, and signs them in', async () => {
    const body = { email: 'New@Example.com', password: 'long enough' };
    const first = await api.ask('POST', '/api/auth/register', { body });
    assert.equal(first.status, 201);
    assertShape(Session, first.body);
    assert.equal(first.body.user.role, 'viewer');
    assert.equal(first.body.user.email, 'new@example.com');
    const second = await api.ask('POST', '/api/auth/register', { body });
    assert.equal(second.status, 409);
    assert.deepEqual(second.body, {
      error: {
        code: 'EMAIL_TAKEN',
        message: 'there is an account with this e-mail address already',
        hint: 'Sign in, or use another address.',
        field: 'email',
      },
    });
  });

  test('refuses passwords that bcrypt would cut, and does not take them for their beginning', async () => {
    const email = 'long@example.com';
    const tooLong = { email, password: 'ä'.repeat(37) };
    const refused = await api.ask('POST', '/api/auth/register', { body: tooLong });
    assert.equal(refused.code, 'PASSWORD_TOO_LONG');
    const exact = { email, password: 'ä'.repeat(36) };
    assert.equal((await api.ask('POST', '/api/auth/register', { body: exact })).status, 201);
    assert.equal((await login(email, `${exact.password}and more`)).status, 401);
    assert.equal((await login(email, `${exact.password}\0`)).status, 401);
    assert.equal((await login(email, exact.password)).status, 200);
  });

  test('forgets a session when its time is over', async () => {
    const brief = await runApi(postgres.url, { SESSION_TTL: '100ms' });
    try {
      const { token } = await brief.signIn();
      await eventually(
        'the session has ended',
        async () => (await brief.ask('GET', '/api/auth/me', { token })).status === 401,
      );
      await brief.signIn();
      const rows = await postgres.query(`SELECT FROM sessions WHERE expires_at < now() - interval '50 ms'`);
      assert.equal(rows.length, 0, 'expired sessions are removed');
    } finally {
      await brief.service.stop();
    }
  });

  test('renews a hash that is cheaper than the setting', async () => {
    const costly = await runApi(postgres.url, { BCRYPT_COST: '11' });
    try {
      await costly.signIn();
      const [row] = await postgres.query<{ password_hash: string }>('SELECT password_hash FROM users');
      assert.match(row?.password_hash ?? '', /^\$2b\$11\$/);
      await costly.signIn();
    } finally {
      await costly.service.stop();
    }
  });

  test('writes one line per action, without secrets', async () => {
    const { token, csrfToken } = await api.signIn();
    await login(defaultAccount.email, 'wrong-secret-word');
    await api.ask('POST', '/api/users', {
      token,
      body: { email: 'b@example.com', password: 'another-secret' },
    });
    await api.ask('POST', '/api/auth/logout', { token });
    const actions = api.log.filter(line => line['action'] !== undefined);
    assert.deepEqual(
      actions.map(line => line['action']),
      ['sign_in', 'sign_in_failed', 'user_create', 'sign_out'],
    );
    for (const line of actions) {
      assert.match(String(line['timestamp']), /^\d{4}-\d\d-\d\dT/);
      assert.equal(line['address'], '127.0.0.1');
      assert.match(String(line['traceId']), /^[0-9a-f]{32}$/);
    }
    const text = JSON.stringify(api.log);
    const secrets = [
      token,
      csrfToken,
      defaultAccount.password,
      'wrong-secret-word',
      'another-secret',
      '$2b$',
    ];
    for (const secret of secrets) assert.ok(!text.includes(secret), secret);
  });

  test('can be closed to people who help themselves', async () => {
    const closed = await runApi(postgres.url, { SELF_REGISTRATION: 'no' });
    try {
      const body = { email: 'c@example.com', password: 'long enough' };
      assert.equal((await closed.ask('POST', '/api/auth/register', { body })).code, 'REGISTRATION_CLOSED');
    } finally {
      await closed.service.stop();
    }
  });

  test('does not take the default password from another machine behind a proxy on this one', async () => {
    const api = await runApi(postgres.url);
    try {
      const signInFrom = async (address: string) => {
        const headers = { 'x-forwarded-for': address };
        return (await api.ask('POST', '/api/auth/login', { body: defaultAccount, headers })).status;
      };
      assert.equal(await signInFrom('192.0.2.7'), 401);
      assert.equal(await signInFrom('127.0.0.1'), 200);
    } finally {
      await api.service.stop();
    }
  });

  test('never serves other machines with the default password', async () => {
    await assert.rejects(runApi(postgres.url, { API_ADDR: '0.0.0.0:0' }), {
      code: 'DEFAULT_PASSWORD_EXPOSED',
      message:
        'admin@example.com still has the default password, and 0.0.0.0 can be reached from other machines',
    });
    const { hash } = await import('@node-rs/bcrypt');
    await postgres.query('UPDATE users SET password_hash = $1', [await hash('changed-it', { cost: 10 })]);
    const open = await runApi(postgres.url, { API_ADDR: '0.0.0.0:0' });
    try {
      await open.signIn(defaultAccount.email, 'changed-it');
      // The password may be set back while the api is running.
      const old = await hash(defaultAccount.password, { cost: 10 });
      await postgres.query('UPDATE users SET password_hash = $1', [old]);
      await assert.rejects(open.signIn(), /answered 401/);
    } finally {
      await open.service.stop();
    }
  });
});
