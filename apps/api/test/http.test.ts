import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { ErrorBody, type Session } from '@tidemark/contracts';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { assertShape } from './contract-checks.ts';
import { type RunningApi, runApi, seedAdmin } from './running-api.ts';

describe('every answer', () => {
  let postgres: TestPostgres;
  let api: RunningApi;
  let admin: Session;

  before(async () => {
    postgres = await startPostgres({ migrated: true });
    await seedAdmin(postgres);
    api = await runApi(postgres.url, { CORS_ORIGINS: 'https://ops.example.com' });
    admin = await api.signIn();
  });
  after(async () => {
    await api.service.stop();
    await postgres.stop();
  });

  test('that is an error has the shape of ErrorBody', async () => {
    const json = { 'content-type': 'application/json' };
    const { token } = admin;
    const cases: [status: number, code: string, method: string, path: string, options: object][] = [
      [404, 'NOT_FOUND', 'GET', '/nowhere', {}],
      [404, 'NOT_FOUND', 'GET', '/api/nowhere', { token }],
      [405, 'METHOD_NOT_ALLOWED', 'PUT', '/api/users', { token }],
      [405, 'METHOD_NOT_ALLOWED', 'PUT', '/api/users/1', { token }],
      [413, 'BODY_TOO_LARGE', 'POST', '/api/users', { token, body: `"${'x'.repeat(200_000)}"` }],
      [
        415,
        'UNSUPPORTED_MEDIA_TYPE',
        'POST',
        '/api/auth/login',
        { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      ],
      [
        415,
        'UNSUPPORTED_MEDIA_TYPE',
        'POST',
        '/api/auth/login',
        { body: '{}', headers: { 'content-type': 'text/plain' } },
      ],
      [400, 'MALFORMED_JSON', 'POST', '/api/auth/login', { body: '{"email":', headers: json }],
      [400, 'INVALID_INPUT', 'POST', '/api/auth/login', { headers: json }],
      [400, 'INVALID_INPUT', 'POST', '/api/auth/login', { body: '[]', headers: json }],
      [400, 'MALFORMED_JSON', 'POST', '/api/auth/login', { body: '{"__proto__":{"a":1}}', headers: json }],
      [400, 'BAD_URL', 'GET', '/api/users/%ff', { token }],
      [401, 'NOT_SIGNED_IN', 'GET', '/api/overview', {}],
      [401, 'NOT_SIGNED_IN', 'GET', '/api/overview', { token: 'x' }],
    ];
    for (const [status, code, method, path, options] of cases) {
      const answer = await api.ask(method, path, options);
      assertShape(ErrorBody, answer.body);
      assert.deepEqual([answer.status, answer.code], [status, code], `${method} ${path}: ${answer.text}`);
    }
    const put = await api.ask('PUT', '/api/users/1', { token });
    assert.equal(put.headers.get('allow'), 'DELETE, GET, HEAD, PATCH');
  });

  test('to bytes that are not HTTP has it too', async () => {
    const { hostname, port } = new URL(api.service.url);
    const socket = connect(Number(port), hostname);
    socket.write('this is not HTTP\r\n\r\n');
    const answer = await text(socket);
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assertShape(ErrorBody, JSON.parse(answer.split('\r\n\r\n')[1] ?? ''));
  });

  test('to a defect tells nothing of its inside, which the log has under the trace id', async () => {
    await postgres.query('ALTER TABLE reviews RENAME COLUMN created_at TO renamed');
    await postgres.query(`CREATE OR REPLACE VIEW broken AS SELECT 1 AS one`);
    const unready = await api.ask('GET', '/api/reviews', { token: admin.token });
    assert.deepEqual([unready.status, unready.code], [503, 'DATABASE_NOT_MIGRATED']);
    await postgres.query('ALTER TABLE reviews RENAME COLUMN renamed TO created_at');

    await postgres.query(`ALTER TABLE reviews ALTER COLUMN created_at TYPE text USING 'secret-detail'`);
    await postgres.query(`INSERT INTO reviews VALUES ('r', 'k', 1, '', NULL, 'secret-detail')`);
    const defect = await api.ask('GET', '/api/reviews/r', { token: admin.token });
    assert.deepEqual([defect.status, defect.code], [500, 'INTERNAL']);
    assert.doesNotMatch(defect.text, /secret-detail|at |toISOString|node:/);
    const traceId = defect.headers.get('traceparent')?.split('-')[1];
    const line = api.log.find(entry => entry['level'] === 'error' && entry['traceId'] === traceId);
    assert.match(JSON.stringify(line), /toISOString/);
    await postgres.query('TRUNCATE reviews');
    await postgres.query(
      'ALTER TABLE reviews ALTER COLUMN created_at TYPE timestamptz USING created_at::timestamptz',
    );
  });

  test('has security headers and is kept by nobody', async () => {
    const { headers } = await api.ask('GET', '/api/auth/me', { token: admin.token });
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('content-security-policy'), "default-src 'none';frame-ancestors 'none'");
    assert.equal(headers.get('x-frame-options'), 'SAMEORIGIN');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-powered-by'), null);
  });

  test('is for other sites only where CORS_ORIGINS names them', async () => {
    const preflight = (origin: string) =>
      api.ask('OPTIONS', '/api/users', {
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-csrf-token',
        },
      });
    const named = await preflight('https://ops.example.com');
    assert.equal(named.status, 204);
    assert.equal(named.headers.get('access-control-allow-origin'), 'https://ops.example.com');
    assert.equal(named.headers.get('access-control-allow-credentials'), 'true');
    const other = await preflight('https://evil.example.com');
    assert.equal(other.headers.get('access-control-allow-origin'), null);
  });

  test('is measured under the pattern of its route', async () => {
    await api.ask('GET', '/api/users/424242', { token: admin.token });
    await api.ask('GET', '/wp-login.php');
    const { text, headers } = await api.ask('GET', '/api/metrics');
    assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(
      text,
      /http_request_duration_seconds_count\{method="GET",route="\/api\/users\/:id",status_code="404"\} [1-9]/,
    );
    assert.match(text, /route="unmatched",status_code="404"/);
    assert.doesNotMatch(text, /424242|wp-login/);
  });

  test('about health needs no sign-in', async () => {
    for (const path of [
      '/healthz',
      '/readyz',
      '/metrics',
      '/api/health',
      '/api/ready',
      '/api/metrics',
      '/api/db-health',
    ]) {
      assert.equal((await api.ask('GET', path)).status, 200, path);
    }
    api.broker.failure = new Error('the broker is away');
    const unready = await api.ask('GET', '/api/ready');
    assert.equal(unready.status, 503);
    assert.deepEqual(unready.body, {
      status: 'not ready',
      checks: { database: 'ok', broker: 'the broker is away' },
    });
    api.broker.failure = undefined;
  });
});

describe('the documentation', () => {
  let api: RunningApi;

  before(async () => {
    api = await runApi('postgres://nobody@127.0.0.1:9/none');
  });
  after(() => api.service.stop());

  interface Operation {
    readonly tags: readonly string[];
    readonly summary: string;
    readonly security?: readonly object[];
    readonly responses: Readonly<Record<string, { readonly description?: string }>>;
  }

  test('is OpenAPI 3.1 and describes every route with what it answers', async () => {
    const { body } = await api.ask('GET', '/api/docs/json');
    const document = body as {
      openapi: string;
      paths: Record<string, Record<string, Operation>>;
      tags: { name: string }[];
    };
    assert.equal(document.openapi, '3.1.0');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    assert.deepEqual(operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort(), [
      'DELETE /api/users/{id}',
      'GET /api/auth/me',
      'GET /api/changes',
      'GET /api/changes/stream',
      'GET /api/changes/{id}',
      'GET /api/db-health',
      'GET /api/dead-letters',
      'GET /api/dead-letters/{id}',
      'GET /api/health',
      'GET /api/metrics',
      'GET /api/overview',
      'GET /api/pipelines',
      'GET /api/ready',
      'GET /api/reviews',
      'GET /api/reviews/{reviewId}',
      'GET /api/users',
      'GET /api/users/{id}',
      'PATCH /api/dead-letters/{id}',
      'PATCH /api/users/{id}',
      'POST /api/auth/login',
      'POST /api/auth/logout',
      'POST /api/auth/register',
      'POST /api/dead-letters/discard',
      'POST /api/dead-letters/replay',
      'POST /api/reviews',
      'POST /api/users',
    ]);
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const { path, method, operation } of operations) {
      const name = `${method} ${path}`;
      assert.ok(operation.summary, name);
      assert.ok(operation.tags.length > 0 && operation.tags.every(tag => tags.has(tag)), name);
      for (const [status, response] of Object.entries(operation.responses)) {
        assert.match(status, /^([1-5]\d\d|[1-5]XX|default)$/, name);
        assert.equal(typeof response.description, 'string', name);
      }
    }
    assert.deepEqual(document.paths['/api/auth/login']?.['post']?.security, []);
    assert.doesNotMatch(JSON.stringify(document), /"\$ref":"(?!#\/)/);
  });

  test('has a page that may load what it needs', async () => {
    const page = await api.ask('GET', '/api/docs/');
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self'/);
    const script = await api.ask('GET', '/api/docs/static/swagger-ui-bundle.js');
    assert.equal(script.status, 200);
  });
});
