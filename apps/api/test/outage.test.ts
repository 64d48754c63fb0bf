import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Session } from '@tidemark/contracts';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { type RunningApi, runApi, seedAdmin } from './running-api.ts';

describe('without its database the api', () => {
  let postgres: TestPostgres;

  before(async () => {
    postgres = await startPostgres({ migrated: true });
    await seedAdmin(postgres);
  });
  after(() => postgres.stop());

  const credentials = { body: { email: 'admin@example.com', password: 'admin123' } };
  const statusOf = async (api: RunningApi, path: string) => (await api.ask('GET', path)).status;

  test('starts, says what is missing, and goes on by itself when it comes', async () => {
    await postgres.pause();
    const api = await runApi(postgres.url);
    try {
      assert.equal(await statusOf(api, '/healthz'), 200);
      assert.equal(await statusOf(api, '/readyz'), 503);
      assert.equal(await statusOf(api, '/api/db-health'), 503);
      const refused = await api.ask('POST', '/api/auth/login', credentials);
      assert.deepEqual([refused.status, refused.code], [503, 'DATABASE_UNAVAILABLE']);
      assert.ok(Number(refused.headers.get('retry-after')) > 0);
      await postgres.resume();
      await eventually('the api is ready', async () => (await statusOf(api, '/readyz')) === 200);
      assert.equal((await api.ask('POST', '/api/auth/login', credentials)).status, 200);
    } finally {
      await api.service.stop();
    }
  });

  test('survives its crash, with requests on the way', async () => {
    const api = await runApi(postgres.url);
    try {
      const { token } = await api.signIn();
      const asking = Array.from({ length: 30 }, () => api.ask('GET', '/api/users', { token }));
      await postgres.crashAndRestart();
      const statuses = (await Promise.all(asking)).map(({ status }) => status);
      assert.ok(
        statuses.every(status => status === 200 || status === 503),
        statuses.join(),
      );
      await eventually(
        'it answers',
        async () => (await api.ask('GET', '/api/users', { token })).status === 200,
      );
    } finally {
      await api.service.stop();
    }
  });

  test('starts before the migrations have run, and says so', async () => {
    const empty = await startPostgres();
    const api = await runApi(empty.url);
    try {
      const refused = await api.ask('POST', '/api/auth/login', credentials);
      assert.deepEqual([refused.status, refused.code], [503, 'DATABASE_NOT_MIGRATED']);
    } finally {
      await api.service.stop();
      await empty.stop();
    }
  });

  test('does not count sign-ins that could not be checked', async () => {
    const api = await runApi(postgres.url, { SIGN_IN_ATTEMPTS_MAX: '2' });
    try {
      await postgres.pause('immediate');
      for (let attempt = 0; attempt < 5; attempt += 1) {
        assert.equal((await api.ask('POST', '/api/auth/login', credentials)).status, 503);
      }
      await postgres.resume();
      const session = await eventually<Session>('sign-in works', () => api.signIn());
      assert.equal(session.user.email, 'admin@example.com');
    } finally {
      await api.service.stop();
    }
  });

  test('explains a port that is taken', async () => {
    const api = await runApi(postgres.url);
    const { host } = new URL(api.service.url);
    try {
      await assert.rejects(runApi(postgres.url, { API_ADDR: host }), { code: 'PORT_TAKEN' });
    } finally {
      await api.service.stop();
    }
  });
});
