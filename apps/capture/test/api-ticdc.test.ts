import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createOps, silentLogger } from '@tidemark/observability';
import { eventually } from '@tidemark/testkit';
import { apiServer } from '../src/api/server.ts';
import { type CaptureBench, openCaptureBench } from './support/capture-bench.ts';

const sinkUri = 'kafka://127.0.0.1:9092/tidb-cdc?protocol=canal-json';

suite('calls and fields that only TiCDC’s clients use', () => {
  let bench: CaptureBench;
  let server: ReturnType<typeof apiServer>;
  let nowMs = Date.now();
  before(async () => {
    bench = await openCaptureBench();
    server = apiServer({
      address: { host: '127.0.0.1', port: 0 },
      api: {
        changefeeds: bench.changefeeds,
        captureId: 'c-1',
        pid: 7,
        address: () => '127.0.0.1:8300',
        now: () => nowMs,
        setLogLevel: () => {},
        ping: async () => {},
      },
      ops: createOps({ metrics: bench.metrics, checks: {} }),
      logger: silentLogger(),
    });
    await server.start();
    const created = await call('POST', '/api/v1/changefeeds', {
      changefeed_id: 'old',
      sink_uri: sinkUri,
      source_uri: bench.postgres.url,
      filter_rules: ['sre_app.users'],
      ignore_ineligible_table: true,
      ignore_txn_start_ts: [],
      mounter_worker_num: 16,
      timezone: 'system',
      sink_config: {
        protocol: 'canal-json',
        dispatchers: [{ matcher: ['*.*'], dispatcher: 'ts' }],
        column_selectors: [{ matcher: ['sre_app.users'], columns: ['id', 'email'] }],
      },
    });
    assert.equal(created.status, 202, created.text);
  });
  after(async () => {
    await bench.changefeeds.remove('old');
    await server.stop();
    await bench.close();
  });

  async function call(method: string, path: string, body?: unknown) {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    return { status: response.status, text, json };
  }
  const configOf = async () =>
    (await call('GET', '/api/v2/changefeeds/old')).json['config'] as {
      filter: object;
      sink: object;
      ignore_ineligible_table: boolean;
    };

  test('sink_config of version 1 becomes dispatchers and column selectors', async () => {
    const { filter, sink } = await configOf();
    assert.deepEqual(filter, { rules: ['sre_app.users'] });
    assert.deepEqual(sink, {
      dispatchers: [{ matcher: ['*.*'], partition: 'ts' }],
      column_selectors: [{ matcher: ['sre_app.users'], columns: ['id', 'email'] }],
    });
  });

  test('source_uri is shown without its password', async () => {
    const { json } = await call('GET', '/api/v2/changefeeds/old');
    assert.equal(json['source_uri'], bench.postgres.url.replace(':tidemark@', ':xxxxx@'));
    const again = await call('PUT', '/api/v2/changefeeds/old', { source_uri: json['source_uri'] });
    assert.equal(again.json['error_code'], 'CDC:ErrChangefeedUpdateRefused');
    const unreachable = await call('POST', '/api/v2/changefeeds', {
      sink_uri: sinkUri,
      source_uri: 'postgres://u:hunter2@127.0.0.1:1/d',
    });
    assert.deepEqual([unreachable.status, unreachable.json['error_code']], [500, 'CDC:ErrPDEtcdAPIError']);
    assert.doesNotMatch(unreachable.text, /hunter2/);
  });

  test('an update of version 1 changes what it names and leaves the rest', async () => {
    await call('POST', '/api/v1/changefeeds/old/pause');
    const updated = await call('PUT', '/api/v1/changefeeds/old', { filter_rules: ['sre_app.reviews'] });
    assert.deepEqual([updated.status, updated.text], [202, '']);
    const config = await configOf();
    assert.deepEqual(config.filter, { rules: ['sre_app.reviews'] });
    assert.equal(config.ignore_ineligible_table, true);
    const masked = await call('PUT', '/api/v2/changefeeds/old', {
      source_uri: 'postgres://tidemark:xxxxx@127.0.0.1/sre_app',
    });
    assert.match(masked.text, /stands for a secret/);
  });

  test('resume takes a checkpoint of zero, and no other', async () => {
    const path = '/api/v2/changefeeds/old/resume';
    const refused = await call('POST', path, { overwrite_checkpoint_ts: 1 });
    assert.deepEqual([refused.status, refused.json['error_code']], [400, 'CDC:ErrAPIInvalidParam']);
    const resumed = await call('POST', path, { overwrite_checkpoint_ts: 0 });
    assert.deepEqual([resumed.status, resumed.text], [200, '{}']);
    assert.equal((await call('POST', '/api/v1/changefeeds/old/tables/rebalance_table')).status, 202);
  });

  test('synced tells whether nothing has come for five minutes', async () => {
    const path = '/api/v2/changefeeds/old/synced';
    await eventually('it streams', () => bench.changefeeds.statuses().get('old')?.streaming === true);
    const { json } = await call('GET', path);
    assert.equal(json['synced'], false);
    assert.match(String(json['now_ts']), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    assert.deepEqual(Object.keys(json).toSorted(), [
      'info',
      'last_synced_ts',
      'now_ts',
      'puller_resolved_ts',
      'sink_checkpoint_ts',
      'synced',
    ]);
    const status = bench.changefeeds.statuses().get('old');
    assert.ok(status !== undefined);
    await bench.changefeeds.runner('old')?.stop();
    nowMs = Date.now() + 400_000;
    Object.assign(status, { acknowledgedMs: nowMs - 301_000, idleAtMs: nowMs - 5000 });
    assert.equal((await call('GET', path)).json['synced'], true);
    Object.assign(status, { idleAtMs: nowMs - 20_000 });
    assert.equal((await call('GET', path)).json['synced'], false);
  });

  test('processors are listed by changefeed and capture', async () => {
    const one = { changefeed_id: 'old', capture_id: 'c-1' };
    assert.deepEqual((await call('GET', '/api/v2/processors')).json, { total: 1, items: [one] });
    assert.deepEqual((await call('GET', '/api/v1/processors')).json, [one]);
    assert.deepEqual((await call('GET', '/api/v2/processors/old/c-1')).json, { table_ids: [] });
    assert.match((await call('GET', '/api/v1/processors/old/c-1')).text, /^\{"checkpoint_ts":\d{18},/);
    const unknown = await call('GET', '/api/v2/processors/old/c-2');
    assert.deepEqual([unknown.status, unknown.json['error_code']], [400, 'CDC:ErrCaptureNotExist']);
  });

  test('a parameter of the sink URI that cannot be kept is named in TiCDC’s shape of an error', async () => {
    for (const version of ['v1', 'v2']) {
      const refused = await call('POST', `/api/${version}/changefeeds`, {
        sink_uri: `${sinkUri}&output-row-key=true`,
      });
      assert.deepEqual([refused.status, refused.json['error_code']], [400, 'CDC:ErrSinkURIInvalid']);
      assert.match(String(refused.json['error_msg']), /^\[CDC:ErrSinkURIInvalid\].*output-row-key/);
    }
  });

  test('settings that steer TiCDC’s machine are taken, those that would change messages are refused', async () => {
    const create = (replica_config: object) =>
      call('POST', '/api/v2/changefeeds', { changefeed_id: 'tuned', sink_uri: sinkUri, replica_config });
    const taken = await create({
      memory_quota: 1_073_741_824,
      check_gc_safe_point: true,
      enable_sync_point: false,
      bdr_mode: false,
      mounter: { worker_num: 16 },
      filter: { rules: ['sre_app.users'], event_filters: [] },
      sink: {
        protocol: 'canal-json',
        dispatchers: [{ matcher: ['*.*'], partition: 'table' }],
        kafka_config: { large_message_handle: { large_message_handle_option: 'none' } },
      },
    });
    assert.equal(taken.status, 200, taken.text);
    await call('DELETE', '/api/v2/changefeeds/tuned');
    for (const [config, names] of [
      [{ bdr_mode: true }, /bdr_mode .*\(false\)/],
      [{ sink: { protocol: 'avro' } }, /protocol .*\("canal-json"\)/],
      [{ filter: { event_filters: [{ matcher: ['*.*'], ignore_event: ['delete'] }] } }, /event_filters/],
      [{ sink: { dispatchers: [{ matcher: ['*.*'], partition: 'table', topic: 'x' }] } }, /topic/],
      [
        { sink: { kafka_config: { large_message_handle: { large_message_handle_option: 'claim-check' } } } },
        /large_message_handle_option must be equal to one of/,
      ],
      [{ sink: { kafka_config: { codec_config: { enable_tidb_extension: true } } } }, /codec_config/],
    ] as const) {
      const refused = await create(config);
      assert.deepEqual([refused.status, refused.json['error_code']], [400, 'CDC:ErrAPIInvalidParam']);
      assert.match(refused.text.replaceAll('\\"', '"'), names);
    }
  });
});
