import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { defaultAccount, type Role, type Session, User, UserPage } from '@tidemark/contracts';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { assertShape } from './contract-checks.ts';
import { type RunningApi, runApi, seedAdmin } from './running-api.ts';

describe('users', () => {
  let postgres: TestPostgres;
  let api: RunningApi;
  let admin: Session;

  before(async () => {
    postgres = await startPostgres({ migrated: true });
    api = await runApi(postgres.url);
  });
  after(async () => {
    await api.service.stop();
    await postgres.stop();
  });
  beforeEach(async () => {
    await postgres.query('TRUNCATE users CASCADE');
    await seedAdmin(postgres);
    admin = await api.signIn();
  });

  async function createUser(role: Role, email = `${role}@example.com`): Promise<User> {
    const body = { email, password: 'long enough', role };
    const answer = await api.ask('POST', '/api/users', { token: admin.token, body });
    assert.equal(answer.status, 201, answer.text);
    assertShape(User, answer.body);
    return answer.body;
  }
  const change = (id: number, body: object, token = admin.token, headers = {}) =>
    api.ask('PATCH', `/api/users/${id}`, { token, body, headers });
  const remove = (id: number, token = admin.token) => api.ask('DELETE', `/api/users/${id}`, { token });

  test('are listed in pages, in order of their ids', async () => {
    for (const name of ['a', 'b', 'c']) await createUser('viewer', `${name}@example.com`);
    const first = await api.ask('GET', '/api/users?limit=2', { token: admin.token });
    assertShape(UserPage, first.body);
    assert.equal(first.body.items.length, 2);
    const next = encodeURIComponent(first.body.nextCursor ?? '');
    const second = await api.ask('GET', `/api/users?limit=2&cursor=${next}`, { token: admin.token });
    assertShape(UserPage, second.body);
    assert.deepEqual(
      [...first.body.items, ...second.body.items].map(({ email }) => email),
      [defaultAccount.email, 'a@example.com', 'b@example.com', 'c@example.com'],
    );
    assert.equal(second.body.nextCursor, null);
    assert.doesNotMatch(first.text + second.text, /hash|\$2b\$/);
  });

  test('carry the trace of the request that wrote them', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const user = await createUser('viewer');
    const answer = await change(user.id, { role: 'operator' }, admin.token, { traceparent });
    const [row] = await postgres.query<{ trace_context: string }>(
      'SELECT trace_context FROM users WHERE id = $1',
      [user.id],
    );
    assert.match(row?.trace_context ?? '', /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    assert.equal(row?.trace_context, answer.headers.get('traceparent'));
  });

  test('may do what their role allows', async () => {
    const viewer = await createUser('viewer');
    await createUser('operator');
    for (const role of ['viewer', 'operator'] as const) {
      const { token } = await api.signIn(`${role}@example.com`, 'long enough');
      const body = { email: 'x@example.com', password: 'long enough' };
      assert.equal((await api.ask('GET', '/api/users', { token })).status, 200);
      assert.equal((await api.ask('POST', '/api/users', { token, body })).code, 'FORBIDDEN');
      assert.equal((await remove(viewer.id, token)).code, 'FORBIDDEN');
      assert.equal((await change(admin.user.id, { email: 'x@example.com' }, token)).code, 'FORBIDDEN');
      assert.equal((await change(viewer.id, { role: 'admin' }, token)).code, 'FORBIDDEN');
    }
    assert.equal((await api.ask('GET', '/api/users')).code, 'NOT_SIGNED_IN');
  });

  test('change their own password by proving the old one', async () => {
    const viewer = await createUser('viewer');
    const { token } = await api.signIn('viewer@example.com', 'long enough');
    const password = 'a new password';
    assert.equal((await change(viewer.id, { password }, token)).code, 'CURRENT_PASSWORD_WRONG');
    const wrong = { password, currentPassword: 'wrong' };
    assert.equal((await change(viewer.id, wrong, token)).code, 'CURRENT_PASSWORD_WRONG');
    const right = { password, currentPassword: 'long enough' };
    assert.equal((await change(viewer.id, right, token)).status, 200);
    await api.signIn('viewer@example.com', password);
  });

  test('lose their other sessions with a new password or role, and keep the one that made the change', async () => {
    const viewer = await createUser('viewer');
    const sessions = [1, 2].map(() => api.signIn('viewer@example.com', 'long enough'));
    const [first, second] = await Promise.all(sessions);
    const alive = async (token = '') => (await api.ask('GET', '/api/auth/me', { token })).status === 200;
    const body = { password: 'a new password', currentPassword: 'long enough' };
    assert.equal((await change(viewer.id, body, first?.token)).status, 200);
    assert.deepEqual([await alive(first?.token), await alive(second?.token)], [true, false]);
    assert.equal((await change(viewer.id, { role: 'viewer' })).status, 200);
    assert.equal(await alive(first?.token), true, 'the same role again changes no rights');
    assert.equal((await change(viewer.id, { role: 'operator' })).status, 200);
    assert.equal(await alive(first?.token), false);
    assert.equal(await alive(admin.token), true);
  });

  test('always include an administrator', async () => {
    assert.equal((await remove(admin.user.id)).code, 'LAST_ADMIN');
    assert.equal((await change(admin.user.id, { role: 'viewer' })).code, 'LAST_ADMIN');
    assert.equal((await change(admin.user.id, { email: 'boss@example.com', role: 'admin' })).status, 200);
    await createUser('admin', 'second@example.com');
    assert.equal((await remove(admin.user.id)).status, 204);
    assert.equal(
      (await api.ask('GET', '/api/auth/me', { token: admin.token })).status,
      401,
      'deleted users are out',
    );
  });

  test('include an administrator also when two demote each other at the same moment', async () => {
    for (let round = 0; round < 5; round += 1) {
      const other = await createUser('admin', `admin${round}@example.com`);
      const session = await api.signIn(other.email, 'long enough');
      const answers = await Promise.all([
        change(other.id, { role: 'viewer' }),
        change(admin.user.id, { role: 'viewer' }, session.token),
      ]);
      const [left] = await postgres.query<{ admins: number }>(
        `SELECT count(*)::int AS admins FROM users WHERE role = 'admin'`,
      );
      assert.equal(left?.admins, 1, answers.map(({ text }) => text).join());
      await postgres.query(`UPDATE users SET role = 'admin' WHERE id = $1`, [admin.user.id]);
      await postgres.query(`DELETE FROM users WHERE id = $1`, [other.id]);
      admin = await api.signIn();
    }
  });

  test('are refused with the field that is wrong', async () => {
    const user = await createUser('viewer');
    const post = (body: unknown) => api.ask('POST', '/api/users', { token: admin.token, body });
    const field = (answer: { body: unknown }) => (answer.body as { error: { field?: string } }).error.field;
    assert.equal(field(await post({ email: 'no address', password: 'long enough' })), 'email');
    assert.equal(field(await post({ email: 'a@example.com', password: 'short' })), 'password');
    assert.equal(field(await post({ email: 'a@example.com' })), 'password');
    assert.equal(
      field(await post({ email: 'a@example.com', password: 'long enough', role: 'king' })),
      'role',
    );
    assert.equal(field(await post({ email: user.email, password: 'long enough' })), 'email');
    assert.equal(
      field(await post({ email: 7, password: 'long enough' })),
      'email',
      'types are not converted',
    );
    assert.equal((await change(user.id, { email: defaultAccount.email })).code, 'EMAIL_TAKEN');
    assert.equal((await change(user.id, {})).code, 'NOTHING_TO_CHANGE');
    assert.equal((await change(999_999, { role: 'viewer' })).code, 'NOT_FOUND');
    assert.equal((await remove(999_999)).code, 'NOT_FOUND');
    assert.equal((await api.ask('GET', '/api/users/999999', { token: admin.token })).code, 'NOT_FOUND');
    assert.equal((await api.ask('GET', '/api/users/abc', { token: admin.token })).code, 'INVALID_INPUT');
    assert.equal(
      (await api.ask('GET', '/api/users?cursor=zzz', { token: admin.token })).code,
      'CURSOR_INVALID',
    );
  });
});
