import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createOps, silentLogger } from '@tidemark/observability';
import { eventually } from '@tidemark/testkit';
import { apiServer } from '../src/api/server.ts';
import { readinessChecks } from '../src/changefeed/readiness.ts';
import { type CaptureBench, openCaptureBench, streams } from './support/capture-bench.ts';

const sinkUri = 'kafka://127.0.0.1:9092/tidb-cdc?protocol=canal-json&sasl-user=u&sasl-password=hunter2';

suite('TiCDC OpenAPI', () => {
  let bench: CaptureBench;
  let server: ReturnType<typeof apiServer>;
  let healthy = true;
  const logLevels: string[] = [];
  before(async () => {
    bench = await openCaptureBench();
    const ping = async () => {
      if (!healthy) throw new Error('no database');
    };
    server = apiServer({
      address: { host: '127.0.0.1', port: 0 },
      api: {
        changefeeds: bench.changefeeds,
        captureId: 'c-1',
        pid: 7,
        address: () => '127.0.0.1:8300',
        now: () => Date.now(),
        setLogLevel: level => logLevels.push(level),
        ping,
      },
      ops: createOps({ metrics: bench.metrics, checks: readinessChecks(bench.changefeeds, ping) }),
      logger: silentLogger(),
    });
    await server.start();
  });
  after(async () => {
    await server.stop();
    await bench.close();
  });

  interface Answer {
    readonly status: number;
    readonly text: string;
    // The shapes are what the tests are about.
    readonly body: Record<string, unknown>;
  }
  async function call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : {
            headers: { 'content-type': 'application/json' },
            body: typeof body === 'string' ? body : JSON.stringify(body),
          }),
    });
    const text = await response.text();
    return { status: response.status, text, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) };
  }
  const list = async (path: string) => (await call('GET', path)).body as unknown as Record<string, unknown>[];

  test('the recipe of version 1: create, list, state normal', async () => {
    const created = await call('POST', '/api/v1/changefeeds', {
      changefeed_id: 'cf-kafka',
      sink_uri: sinkUri,
      start_ts: 0,
    });
    assert.deepEqual([created.status, created.text], [202, '']);
    await eventually('normal', async () => (await list('/api/v1/changefeeds'))[0]?.['state'] === 'normal');
    const [item] = await list('/api/v1/changefeeds');
    assert.equal(item?.['id'], 'cf-kafka');
    assert.match(String(item?.['checkpoint_time']), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    assert.equal(item?.['error'], null);
  });

  test('version 1 pauses, resumes, describes and removes with 202', async () => {
    const base = '/api/v1/changefeeds/cf-kafka';
    assert.equal((await call('POST', `${base}/pause`)).status, 202);
    assert.equal((await call('GET', base)).body['state'], 'stopped');
    assert.equal((await call('POST', `${base}/resume`, '')).status, 202);
    assert.equal((await call('DELETE', base)).status, 202);
    assert.deepEqual(await list('/api/v1/changefeeds'), []);
  });

  test('version 2 answers a creation with the whole of it, numbers exact and secrets covered', async () => {
    const { status, text, body } = await call('POST', '/api/v2/changefeeds', {
      changefeed_id: 'cf-2',
      sink_uri: sinkUri,
      replica_config: { filter: { rules: ['sre_app.users'] } },
    });
    assert.equal(status, 200, text);
    assert.deepEqual(Object.keys(body).toSorted(), [
      'admin_job_type',
      'checkpoint_time',
      'checkpoint_ts',
      'config',
      'copies',
      'create_time',
      'creator_version',
      'error',
      'id',
      'keyspace',
      'namespace',
      'resolved_ts',
      'sink_uri',
      'start_ts',
      'state',
      'target_ts',
      'task_status',
      'upstream_id',
    ]);
    assert.match(text, /"start_ts":\d{18},/);
    assert.doesNotMatch(text, /hunter2/);
    assert.deepEqual(body['config'], {
      case_sensitive: false,
      force_replicate: false,
      ignore_ineligible_table: false,
      filter: { rules: ['sre_app.users'] },
      sink: { dispatchers: [], column_selectors: [] },
      initial_copy: false,
      mask: [{ matcher: ['*.*'], columns: ['password*', 'token*', 'secret*'], mode: 'mask' }],
    });
  });

  test('version 2 lists, filters by state, pauses, resumes and shows the status', async () => {
    const base = '/api/v2/changefeeds';
    assert.equal((await call('GET', base)).body['total'], 1);
    assert.deepEqual([(await call('POST', `${base}/cf-2/pause`)).text], ['{}']);
    assert.equal((await call('GET', `${base}?state=stopped`)).body['total'], 1);
    assert.equal((await call('GET', `${base}?state=normal`)).body['total'], 0);
    assert.equal((await call('GET', `${base}/cf-2/status`)).body['state'], 'stopped');
    assert.deepEqual([(await call('POST', `${base}/cf-2/resume`)).text], ['{}']);
    const refused = await call('POST', `${base}/cf-2/resume`);
    assert.deepEqual([refused.status, refused.body['error_code']], [400, 'CDC:ErrChangefeedUpdateRefused']);
    assert.deepEqual([(await call('DELETE', `${base}/cf-2`)).text], ['{}']);
    assert.deepEqual([(await call('DELETE', `${base}/cf-2`)).text], ['{}']);
  });

  test('version 2 changes a changefeed that is paused', async () => {
    const path = '/api/v2/changefeeds/changing';
    await call('POST', '/api/v2/changefeeds', {
      changefeed_id: 'changing',
      sink_uri: sinkUri,
      replica_config: { filter: { rules: ['sre_app.users'] } },
    });
    const running = await call('PUT', path, { sink_uri: sinkUri });
    assert.deepEqual([running.status, running.body['error_code']], [400, 'CDC:ErrChangefeedUpdateRefused']);
    await call('POST', `${path}/pause`);
    const wrong = await call('PUT', path, { replica_config: { filter: { rules: ['nonsense'] } } });
    assert.equal(wrong.body['error_code'], 'CDC:ErrFilterRuleInvalid');
    const changed = await call('PUT', path, {
      replica_config: { filter: { rules: ['sre_app.users', 'sre_app.reviews'] } },
    });
    assert.equal(changed.status, 200, changed.text);
    await call('POST', `${path}/resume`);
    await streams(bench.changefeeds, 'changing');
    const published = await bench.postgres.query<{ tablename: string }>(
      `SELECT tablename FROM pg_publication_tables WHERE pubname = 'tidemark_changing' ORDER BY 1`,
    );
    assert.deepEqual(
      published.map(({ tablename }) => tablename),
      ['reviews', 'users'],
    );
    await call('DELETE', path);
  });

  test('a changefeed without an id gets a UUID', async () => {
    const { body } = await call('POST', '/api/v2/changefeeds', { sink_uri: sinkUri });
    assert.match(String(body['id']), /^[0-9a-f]{8}-/);
    await call('DELETE', `/api/v2/changefeeds/${String(body['id'])}`);
  });

  test('what is wrong is said in the shape and with the codes of TiCDC', async () => {
    const cases: readonly (readonly [string, string, unknown, number, string, RegExp])[] = [
      ['GET', '/api/v2/changefeeds/none', undefined, 400, 'ErrChangeFeedNotExists', /none does not exist/],
      ['POST', '/api/v1/changefeeds/none/pause', undefined, 400, 'ErrChangeFeedNotExists', /none/],
      ['POST', '/api/v2/changefeeds', {}, 400, 'ErrAPIInvalidParam', /sink_uri/],
      ['POST', '/api/v2/changefeeds', '{', 400, 'ErrUnknown', /no JSON/],
      ['POST', '/api/v2/changefeeds', { sink_uri: 'mysql://x' }, 400, 'ErrSinkURIInvalid', /kafka:/],
      [
        'POST',
        '/api/v2/changefeeds',
        { sink_uri: sinkUri, changefeed_id: 'a_b' },
        400,
        'ErrAPIInvalidParam',
        /a_b/,
      ],
      [
        'POST',
        '/api/v2/changefeeds',
        { sink_uri: sinkUri, start_ts: 5 },
        400,
        'ErrStartTsBeforeGC',
        /start_ts/,
      ],
      ['POST', '/api/v2/changefeeds', { sink_uri: sinkUri, extra: 5 }, 400, 'ErrAPIInvalidParam', /extra/],
      [
        'POST',
        '/api/v2/changefeeds',
        { sink_uri: sinkUri, replica_config: { filter: { rules: ['users'] } } },
        400,
        'ErrFilterRuleInvalid',
        /"users"/,
      ],
      ['GET', '/api/v2/changefeeds?state=odd', undefined, 400, 'ErrAPIInvalidParam', /state/],
    ];
    for (const [method, path, request, status, code, message] of cases) {
      const answer = await call(method, path, request);
      assert.deepEqual([answer.status, answer.body['error_code']], [status, `CDC:${code}`], answer.text);
      assert.match(String(answer.body['error_msg']), message);
      assert.ok(String(answer.body['error_msg']).startsWith(`[CDC:${code}]`));
    }
  });

  test('an id that is taken is refused', async () => {
    const request = { changefeed_id: 'twice', sink_uri: sinkUri };
    assert.equal((await call('POST', '/api/v2/changefeeds', request)).status, 200);
    const second = await call('POST', '/api/v2/changefeeds', request);
    assert.deepEqual([second.status, second.body['error_code']], [400, 'CDC:ErrChangeFeedAlreadyExists']);
    await call('DELETE', '/api/v2/changefeeds/twice');
  });

  test('the server describes itself and its health', async () => {
    for (const path of ['/status', '/api/v1/status', '/api/v2/status']) {
      const { body } = await call('GET', path);
      assert.deepEqual([body['id'], body['pid'], body['is_owner'], body['liveness']], ['c-1', 7, true, 0]);
    }
    assert.equal((await call('GET', '/api/v2/captures')).body['total'], 1);
    assert.deepEqual((await list('/api/v1/captures'))[0]?.['address'], '127.0.0.1:8300');
    assert.equal((await call('POST', '/api/v2/log', { log_level: 'warn' })).text, '{}');
    assert.deepEqual(logLevels, ['warn']);
    assert.deepEqual([(await call('GET', '/api/v2/health')).text], ['{}']);
    healthy = false;
    const sick = await call('GET', '/api/v2/health');
    assert.deepEqual([sick.status, sick.body['error_code']], [500, 'CDC:ErrClusterIsUnhealthy']);
    assert.equal((await call('GET', '/readyz')).status, 503);
    healthy = true;
  });

  test('metrics tell the state and the acknowledged changes of each changefeed', async () => {
    await bench.create('counted', ['sre_app.users']);
    await bench.postgres.query(`INSERT INTO users (email) VALUES ('metrics@example.com')`);
    await bench.received(1);
    const metrics = await eventually('the count', async () => {
      const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
      const text = await response.text();
      return text.includes('capture_changes_total{') && text;
    });
    assert.match(metrics, /capture_changes_total\{changefeed="counted",table="users",op="insert"\} 1/);
    assert.match(metrics, /capture_state\{changefeed="counted",state="normal"\} 1/);
    assert.match(metrics, /capture_lag_seconds\{changefeed="counted"\} 0/);
    await eventually('the slot was looked at', async () => {
      const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
      return (
        /capture_retained_wal_bytes\{changefeed="counted"\} \d/.test(text) &&
        /capture_safe_wal_bytes\{changefeed="counted"\} \d/.test(text) &&
        /capture_wal_state\{changefeed="counted",state="reserved"\} 1/.test(text)
      );
    });
    assert.match(metrics, /capture_commit_to_ack_seconds_count\{changefeed="counted"\} 1/);
  });
});
