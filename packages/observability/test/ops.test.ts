import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import {
  createMetrics,
  createOps,
  explainListenError,
  mountOps,
  type OpsServer,
  opsServer,
} from '../src/index.ts';

const loopback = { host: '127.0.0.1', port: 0 };
const metrics = () => createMetrics({ defaults: false });

describe('ops answers', () => {
  const body = (answer: { body: string }) => JSON.parse(answer.body) as Record<string, unknown>;

  test('ready names what is missing, and asks all at once', async () => {
    const ops = createOps({
      metrics: metrics(),
      checkTimeoutMs: 30,
      checks: {
        fine: () => {},
        away: () => Promise.reject(new Error('connection refused')),
        rash: () => {
          throw new Error('at once');
        },
        hangs: () => new Promise(() => {}),
      },
    });
    const answer = await ops.ready();
    assert.equal(answer.status, 503);
    assert.deepEqual(body(answer), {
      status: 'not ready',
      checks: { fine: 'ok', away: 'connection refused', rash: 'at once', hangs: 'no answer within 30 ms' },
    });
  });

  test('a check that hangs is told to give up', async () => {
    let given: AbortSignal | undefined;
    const hangs = (signal: AbortSignal) => {
      given = signal;
      return new Promise<void>(() => {});
    };
    await createOps({ metrics: metrics(), checkTimeoutMs: 10, checks: { hangs } }).ready();
    assert.equal(given?.aborted, true);
  });

  test('ready when all answer, healthy without asking anybody', async () => {
    let asked = 0;
    const ops = createOps({ metrics: metrics(), checks: { one: () => void (asked += 1) } });
    assert.equal(ops.health().status, 200);
    assert.equal(asked, 0);
    const answer = await ops.ready();
    assert.equal(answer.status, 200);
    assert.deepEqual(body(answer), { status: 'ready', checks: { one: 'ok' } });
  });

  test('are mounted on a server that has other work, uncached', async () => {
    const routes = new Map<string, (request: unknown, reply: never) => Promise<unknown>>();
    mountOps(
      { get: (path, _options, handler) => routes.set(path, handler) },
      createOps({ metrics: metrics() }),
    );
    assert.deepEqual([...routes.keys()], ['/healthz', '/readyz', '/metrics']);
    const sent: Record<string, unknown> = {};
    const reply = {
      code: (status: number) => Object.assign(reply, void (sent['status'] = status)),
      header: (name: string, value: string) => Object.assign(reply, void (sent[name] = value)),
      send: (text: string) => void (sent['body'] = text),
    };
    await routes.get('/healthz')?.(undefined, reply as never);
    assert.deepEqual(sent, {
      status: 200,
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      body: '{"status":"ok"}',
    });
  });
});

describe('ops server', () => {
  let server: OpsServer;
  let down = false;
  const url = (path: string) => `http://127.0.0.1:${server.port}${path}`;
  before(async () => {
    const checks = { sink: () => (down ? Promise.reject(new Error('away')) : Promise.resolve()) };
    server = opsServer(loopback, createOps({ metrics: metrics(), checks }), (method, { pathname }) =>
      method === 'POST' && pathname === '/explode' ? Promise.reject(new Error('boom')) : undefined,
    );
    await server.start();
  });
  after(() => server.stop());

  test('answers on its three routes', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics', '/healthz?probe=1']) {
      const response = await fetch(url(path));
      assert.equal(response.status, 200, path);
      assert.equal(response.headers.get('cache-control'), 'no-store');
    }
    down = true;
    assert.equal((await fetch(url('/readyz'))).status, 503);
    assert.equal((await fetch(url('/healthz'))).status, 200);
    down = false;
  });

  test('answers 404 elsewhere, and 500 where a further route fails', async () => {
    const missing = await fetch(url('/nothing'));
    assert.equal(missing.status, 404);
    assert.deepEqual(await missing.json(), { error: 'no route GET /nothing' });
    const failed = await fetch(url('/explode'), { method: 'POST' });
    assert.equal(failed.status, 500);
    assert.deepEqual(await failed.json(), { error: 'boom' });
  });

  for (const target of ['//', '//:', 'http://[', '*', '/%', `/${'a'.repeat(8000)}`]) {
    test(`survives a request for ${target.slice(0, 20)}`, async () => {
      const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 4\d\d /);
      assert.equal((await fetch(url('/healthz'))).status, 200);
    });
  }

  test('survives bytes that are no HTTP at all', async () => {
    assert.match(await raw('\u0000\u0001\u0002\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.equal((await fetch(url('/healthz'))).status, 200);
  });

  test('a taken port is told with the port', async () => {
    const second = opsServer({ host: '127.0.0.1', port: server.port }, createOps({ metrics: metrics() }));
    await assert.rejects(second.start(), {
      code: 'PORT_TAKEN',
      message: `port ${server.port} on 127.0.0.1 is taken by another program`,
    });
    await second.stop();
  });

  test('an address that is not this machine’s is told too', async () => {
    const elsewhere = opsServer({ host: '192.0.2.1', port: 0 }, createOps({ metrics: metrics() }));
    await assert.rejects(elsewhere.start(), { code: 'HOST_NOT_OURS' });
  });

  test('a start that failed may be tried again once the port is free', async () => {
    const holder = opsServer(loopback, createOps({ metrics: metrics() }));
    await holder.start();
    const second = opsServer({ host: '127.0.0.1', port: holder.port }, createOps({ metrics: metrics() }));
    await assert.rejects(second.start(), { code: 'PORT_TAKEN' });
    await holder.stop();
    await second.start();
    await second.stop();
  });

  test('stops at once although a client keeps its connection', async () => {
    const brief = opsServer(loopback, createOps({ metrics: metrics() }));
    await brief.start();
    const client = connect(brief.port, '127.0.0.1');
    await new Promise(resolve => client.once('connect', resolve));
    const closed = new Promise(resolve => client.once('close', resolve));
    await brief.stop();
    await closed;
  });

  /** What the server answers to bytes that no client library would send. */
  const raw = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.once('error', reject);
      socket.once('close', () => resolve(answer));
    });
});

test('an error that has nothing to do with listening is left as it is', () => {
  const other = new Error('other');
  assert.equal(explainListenError(other, loopback), other);
});
