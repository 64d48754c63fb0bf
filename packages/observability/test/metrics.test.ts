import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMetrics, exposePool, foreignMetrics, httpBuckets } from '../src/index.ts';

const quiet = { defaults: false };
const valueOf = (body: string, series: string) =>
  body
    .split('\n')
    .find(line => line.startsWith(`${series} `))
    ?.slice(series.length + 1);

describe('metrics', () => {
  test('are exposed as Prometheus reads them: help, type, escaped labels', async () => {
    const metrics = createMetrics(quiet);
    metrics.counter('broker_records_total').inc({ topic: 'a"b\\c\nd' }, 2);
    metrics.gauge('consumer_lag').set({ group: 'g', topic: 't', partition: '0' }, 5);
    const { contentType, body } = await metrics.expose();
    assert.match(contentType, /^text\/plain; version=0\.0\.4/);
    assert.match(body, /^# HELP broker_records_total Records appended\.$/m);
    assert.match(body, /^# TYPE broker_records_total counter$/m);
    assert.equal(valueOf(body, 'broker_records_total{topic="a\\"b\\\\c\\nd"}'), '2');
    assert.equal(valueOf(body, 'consumer_lag{group="g",topic="t",partition="0"}'), '5');
    assert.ok(body.endsWith('\n'));
  });

  test('a histogram has the buckets of the catalogue', async () => {
    const metrics = createMetrics(quiet);
    const labels = { method: 'GET', route: '/', status_code: '200' };
    metrics.histogram('http_request_duration_seconds').observe(labels, 0.3);
    const { body } = await metrics.expose();
    const bounds = [...body.matchAll(/_bucket\{le="([^"]+)"/g)].map(match => match[1]);
    assert.deepEqual(bounds, [...httpBuckets.map(String), '+Inf']);
  });

  test('an instrument asked for twice is the same one', () => {
    const metrics = createMetrics(quiet);
    assert.equal(metrics.counter('retries_total'), metrics.counter('retries_total'));
  });

  test("of Node's own metrics those are there that rules use", async () => {
    const { body } = await createMetrics().expose();
    const used = Object.entries(foreignMetrics).filter(([, { source }]) => source === 'node');
    assert.ok(used.length > 0);
    for (const [name, { kind }] of used) assert.match(body, new RegExp(`^# TYPE ${name} ${kind}$`, 'm'));
    assert.ok(Number(valueOf(body, 'nodejs_heap_limit_bytes')) > 1024 ** 2);
  });

  test('a pool shows what its connections do', async () => {
    const metrics = createMetrics(quiet);
    const pool = { totalCount: 4, idleCount: 1, waitingCount: 7 };
    exposePool(metrics, pool, 10);
    pool.waitingCount = 8;
    const { body } = await metrics.expose();
    assert.equal(valueOf(body, 'db_pool_connections{state="busy"}'), '3');
    assert.equal(valueOf(body, 'db_pool_connections{state="idle"}'), '1');
    assert.equal(valueOf(body, 'db_pool_limit_connections'), '10');
    assert.equal(valueOf(body, 'db_pool_waiting_statements'), '8');
  });

  test("Node's own metrics are there unless switched off, and registries do not share", async () => {
    const [full, bare] = [createMetrics(), createMetrics(quiet)];
    createMetrics();
    assert.match((await full.expose()).body, /^process_resident_memory_bytes \d+/m);
    assert.doesNotMatch((await bare.expose()).body, /process_/);
  });

  test('a value that is looked up before each scrape is fresh', async () => {
    const metrics = createMetrics(quiet);
    let clients = 0;
    metrics.beforeScrape(() => metrics.gauge('sse_clients').set(++clients));
    assert.equal(valueOf((await metrics.expose()).body, 'sse_clients'), '1');
    assert.equal(valueOf((await metrics.expose()).body, 'sse_clients'), '2');
  });

  test('a value that cannot be looked up is counted, and hides no other', async () => {
    const metrics = createMetrics({ ...quiet, collectTimeoutMs: 20 });
    let asked = 0;
    metrics.beforeScrape(() => {
      throw new Error('at once');
    });
    metrics.beforeScrape(() => Promise.reject(new Error('database away')));
    metrics.beforeScrape(() => new Promise<void>(() => (asked += 1)));
    metrics.beforeScrape(() => metrics.gauge('sse_clients').set(4));
    await metrics.expose();
    const { body } = await metrics.expose();
    assert.equal(valueOf(body, 'sse_clients'), '4');
    assert.equal(valueOf(body, 'scrape_collector_failures_total'), '6');
    assert.equal(asked, 1, 'the one that hangs is not asked again while it hangs');
  });
});
