import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ErrorBody } from '@tidemark/contracts';
import { silentLogger } from '@tidemark/observability';
import { type ConsoleService, compose } from '../../src/compose.ts';

const page = '<!doctype html><title>Tidemark</title><div id="root"></div>';
const script = 'console.log(1)';

/** An api that tells what reached it. */
interface Upstream {
  readonly server: Server;
  readonly url: string;
  readonly requests: IncomingMessage[];
}

async function startUpstream(): Promise<Upstream> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    if (request.url === '/healthz') return void response.end('{}');
    if (request.url === '/api/echo') {
      response.setHeader('set-cookie', ['a=1; HttpOnly', 'b=2']);
      return void request.pipe(response);
    }
    if (request.url === '/api/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void response.write('data: first\n\n');
    }
    if (request.url === '/api/cut') {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half');
      return void setImmediate(() => response.destroy());
    }
    return void response.writeHead(418).end('{"error":{"code":"TEAPOT","message":"no"}}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function writeDist(): Promise<string> {
  const dist = await mkdtemp(join(tmpdir(), 'tidemark-dist-'));
  await mkdir(join(dist, 'assets'));
  await writeFile(join(dist, 'index.html'), page);
  await writeFile(join(dist, 'assets/app-1a2b3c.js'), script);
  await writeFile(join(dist, 'assets/app-1a2b3c.js.gz'), gzipSync(script));
  await writeFile(join(dist, '.sources'), 'fingerprint');
  return dist;
}

async function startConsole(apiUrl: string, dist: string): Promise<{ service: ConsoleService; url: string }> {
  const service = compose({ CONSOLE_ADDR: '127.0.0.1:0', API_URL: apiUrl }, { dist, logger: silentLogger() });
  await service.start();
  return { service, url: `http://127.0.0.1:${service.port}` };
}

describe('the console serves', () => {
  let upstream: Upstream;
  let dist: string;
  let service: ConsoleService;
  let url: string;
  before(async () => {
    upstream = await startUpstream();
    dist = await writeDist();
    ({ service, url } = await startConsole(upstream.url, dist));
  });
  after(async () => {
    await service.stop();
    upstream.server.close();
    upstream.server.closeAllConnections();
    await rm(dist, { recursive: true });
  });

  test('its page uncached, with a strict policy, and revalidates it by tag', async () => {
    const response = await fetch(url);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), page);
    assert.equal(response.headers.get('cache-control'), 'no-cache');
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    const again = await fetch(url, { headers: { 'if-none-match': response.headers.get('etag') ?? '' } });
    assert.equal(again.status, 304);
  });

  test('hashed assets for ever, and compressed for those who can read it', async () => {
    const zipped = await fetch(`${url}/assets/app-1a2b3c.js`);
    assert.equal(zipped.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(zipped.headers.get('content-type'), 'text/javascript; charset=utf-8');
    assert.equal(zipped.headers.get('content-encoding'), 'gzip');
    assert.equal(await zipped.text(), script);
    const plain = await fetch(`${url}/assets/app-1a2b3c.js`, { headers: { 'accept-encoding': 'identity' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(plain.headers.get('vary'), 'accept-encoding');
    assert.equal(await plain.text(), script);
  });

  test('its page for every path that the app routes itself, and 404 for a missing asset', async () => {
    for (const path of ['/changes/42?table=users', '/rows/sre_app/users/a.b%2Fc', '/%zz']) {
      const response = await fetch(url + path, { headers: { accept: 'text/html' } });
      assert.equal(response.status, 200, path);
      assert.equal(await response.text(), page, path);
    }
    assert.equal((await fetch(`${url}/assets/gone-9.js`)).status, 404);
    assert.equal((await fetch(`${url}/robots.txt`, { headers: { accept: 'text/plain' } })).status, 404);
  });

  test('nothing outside its folder and nothing hidden', async () => {
    const secret = join(dist, '..', 'tidemark-secret.txt');
    await writeFile(secret, 'secret');
    try {
      for (const path of [
        '/../tidemark-secret.txt',
        '/%2e%2e/tidemark-secret.txt',
        '/..%2ftidemark-secret.txt',
        '/.sources',
      ]) {
        const text = await rawGet(url, path);
        assert.doesNotMatch(text, /secret|fingerprint/, path);
      }
    } finally {
      await rm(secret);
    }
  });

  test('only GET and HEAD', async () => {
    const head = await fetch(url, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    const post = await fetch(url, { method: 'POST', body: 'x' });
    assert.equal(post.status, 405);
    assert.equal(post.headers.get('allow'), 'GET, HEAD');
  });

  test('the api under /api, with method, body, cookies and the address of who asked', async () => {
    const response = await fetch(`${url}/api/echo`, {
      method: 'POST',
      headers: { 'x-csrf-token': 't', connection: 'keep-alive, x-private', cookie: 's=1' },
      body: 'hello',
    });
    assert.equal(await response.text(), 'hello');
    assert.deepEqual(response.headers.getSetCookie(), ['a=1; HttpOnly', 'b=2']);
    const seen = upstream.requests.at(-1);
    assert.equal(seen?.method, 'POST');
    assert.equal(seen.headers['x-csrf-token'], 't');
    assert.equal(seen.headers.cookie, 's=1');
    assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(seen.headers.host, new URL(url).host, 'the api may compare it with Origin');
    const teapot = await fetch(`${url}/api/no/such`);
    assert.equal(teapot.status, 418, 'errors of the api pass unchanged');
  });

  test('event streams as they come, and lets go of the api when the browser leaves', async () => {
    const abort = new AbortController();
    const response = await fetch(`${url}/api/stream`, { signal: abort.signal });
    const reader = response.body?.getReader();
    const first = await reader?.read();
    assert.equal(Buffer.from(first?.value ?? []).toString(), 'data: first\n\n');
    const atApi = upstream.requests.at(-1) as IncomingMessage;
    const closed = once(atApi.socket, 'close');
    abort.abort();
    await closed;
  });

  test('an answer that breaks off as broken, not as complete', async () => {
    await assert.rejects(async () => (await fetch(`${url}/api/cut`)).text());
  });

  test('health, readiness and metrics by route, never by path', async () => {
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    await fetch(`${url}/changes/some-path-of-an-attacker`);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(
      metrics,
      /http_request_duration_seconds_count\{method="POST",route="\/api\/\*",status_code="200"\} 1/,
    );
    assert.doesNotMatch(metrics, /some-path-of-an-attacker/);
  });
});

describe('the console stays up', () => {
  test('while the api is away: a clear 502, not ready, and well again by itself', async () => {
    const upstream = await startUpstream();
    const { port } = upstream.server.address() as AddressInfo;
    const dist = await writeDist();
    const { service, url } = await startConsole(upstream.url, dist);
    upstream.server.close();
    upstream.server.closeAllConnections();
    await once(upstream.server, 'close');

    const response = await fetch(`${url}/api/users`, { method: 'POST', body: 'x' });
    assert.equal(response.status, 502);
    const body = (await response.json()) as ErrorBody;
    assert.equal(body.error.code, 'API_UNREACHABLE');
    assert.ok(body.error.hint);
    assert.equal((await fetch(`${url}/readyz`)).status, 503);
    assert.equal((await fetch(`${url}/healthz`)).status, 200, 'a restart of the console would not help');

    const back = createServer((_request, answer) => void answer.end('{}'));
    back.listen(port, '127.0.0.1');
    await once(back, 'listening');
    assert.equal((await fetch(`${url}/api/users`)).status, 200);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    await service.stop();
    back.close();
    back.closeAllConnections();
    await rm(dist, { recursive: true });
  });

  test('without a build: it says in one line what to run', async () => {
    const upstream = await startUpstream();
    const dist = join(tmpdir(), 'tidemark-no-such-dist');
    const { service, url } = await startConsole(upstream.url, dist);
    const response = await fetch(url);
    assert.equal(response.status, 503);
    assert.equal(
      await response.text(),
      'the console is not built. Run: npm run build -w @tidemark/console\n',
    );
    assert.equal((await fetch(`${url}/readyz`)).status, 503);
    await service.stop();
    upstream.server.close();
    upstream.server.closeAllConnections();
  });

  test('until stopped, which ends event streams at once', async () => {
    const upstream = await startUpstream();
    const dist = await writeDist();
    const { service, url } = await startConsole(upstream.url, dist);
    const response = await fetch(`${url}/api/stream`);
    const reader = response.body?.getReader();
    await reader?.read();
    const ended = assert.rejects(async () => reader?.read());
    await service.stop();
    await ended;
    upstream.server.close();
    upstream.server.closeAllConnections();
    await rm(dist, { recursive: true });
  });

  test('and says which port is taken', async () => {
    const upstream = await startUpstream();
    const taken = new URL(upstream.url).host;
    const service = compose({ CONSOLE_ADDR: taken }, { logger: silentLogger() });
    await assert.rejects(service.start(), { code: 'PORT_TAKEN' });
    upstream.server.close();
  });
});

/** A GET whose path is sent as it stands; `fetch` would tidy it up. */
async function rawGet(url: string, path: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const request = httpRequest({ hostname, port, path, headers: { accept: 'text/html' } });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}
