import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Overview, type Pipeline, PipelineList, type Session } from '@tidemark/contracts';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { assertShape } from './contract-checks.ts';
import { type RunningApi, runApi, seedAdmin } from './running-api.ts';

/** The other services, as far as the api asks them; each path can be changed or taken away. */
class OtherServices {
  readonly answers = new Map<string, string>();
  requests = 0;
  #server: Server | undefined;

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      this.requests += 1;
      const answer = this.answers.get(request.url ?? '');
      response.writeHead(answer === undefined ? 500 : 200).end(answer ?? '');
    });
    this.#server = server;
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}

const captureMetrics = (changes: number) => `# HELP capture_changes_total Row changes.
# TYPE capture_changes_total counter
capture_changes_total{changefeed="sre-cdc",table="users",op="insert"} ${changes}
capture_changes_total{changefeed="sre-cdc",table="we\\"ird",op="update"} 5
capture_state{changefeed="sre-cdc",state="normal"} 1
capture_state{changefeed="sre-cdc",state="warning"} 0
capture_lag_seconds{changefeed="sre-cdc"} 0.25
`;
const brokerMetrics = `broker_log_end_offset{topic="tidb_cdc",partition="0"} 120
broker_log_end_offset{topic="tidb_cdc",partition="1"} 30
broker_log_end_offset{topic="events.main",partition="0"} 9
`;

const reported: Pipeline & { unaccounted: number } = {
  name: 'changes-to-store',
  group: 'tidb-cdc-consumer',
  topic: 'tidb_cdc',
  sink: 'change store',
  state: 'running',
  lag: 3,
  ratePerSec: 12.5,
  partitions: [
    {
      topic: 'tidb_cdc',
      partition: 0,
      position: '100',
      endOffset: '103',
      lag: 3,
      ledger: { read: 100, delivered: 97, duplicate: 1, filtered: 0, deadLettered: 2 },
      updatedAt: '2026-11-21T04:00:00.000Z',
    },
  ],
  unaccounted: 0,
};

describe('pipelines and overview', () => {
  let postgres: TestPostgres;
  let services: OtherServices;
  let url: string;
  let api: RunningApi;
  let admin: Session;

  before(async () => {
    postgres = await startPostgres({ migrated: true });
    await seedAdmin(postgres);
    await postgres.query(
      `INSERT INTO pipeline_positions (pipeline, topic, partition, next_offset, read, delivered, filtered)
       VALUES ('changes-to-store', 'tidb_cdc', 0, 100, 100, 98, 2), ('changes-to-store', 'tidb_cdc', 1, 31, 31, 31, 0)`,
    );
    await postgres.query(
      `INSERT INTO change_events (change_id, database, table_name, type, key, commit_ts, committed_at, captured_at,
         stored_at, topic, partition, kafka_offset)
       SELECT n::text, 'd', 't', 'INSERT', n::text, n, now(), now(), now() + n * interval '10 milliseconds', 'x', 0, n
       FROM generate_series(1, 100) AS n`,
    );
  });
  after(() => postgres.stop());
  beforeEach(async () => {
    services = new OtherServices();
    url = await services.start();
    const bases = {
      CAPTURE_URL: `${url}/capture`,
      CONSUMER_URL: `${url}/consumer/`,
      BROKER_METRICS_URL: `${url}/broker`,
    };
    services.answers.set('/capture/metrics', captureMetrics(10));
    services.answers.set('/broker/metrics', brokerMetrics);
    services.answers.set('/consumer/pipelines', JSON.stringify({ items: [reported] }));
    api = await runApi(postgres.url, bases);
    admin = await api.signIn();
  });
  afterEach(async () => {
    await api.service.stop();
    services.stop();
  });

  async function overview(): Promise<Overview> {
    const { body } = await api.ask('GET', '/api/overview', { token: admin.token });
    assertShape(Overview, body);
    return body;
  }
  async function list(): Promise<Pipeline[]> {
    const { body } = await api.ask('GET', '/api/pipelines', { token: admin.token });
    assertShape(PipelineList, body);
    return body.items;
  }
  const station = (drawn: Overview, id: string) => drawn.stations.find(found => found.id === id);

  test('draw the stations in the order of the way, with what each of them says', async () => {
    const drawn = await overview();
    assert.deepEqual(
      drawn.stations.map(({ id, state }) => [id, state]),
      [
        ['database', 'ok'],
        ['capture', 'ok'],
        ['broker', 'ok'],
        ['consumer', 'ok'],
        ['store', 'ok'],
      ],
    );
    assert.equal(station(drawn, 'capture')?.total, 15);
    assert.deepEqual(station(drawn, 'capture')?.lag, { value: 0.25, unit: 'seconds' });
    assert.equal(station(drawn, 'broker')?.total, 150);
    assert.deepEqual(station(drawn, 'consumer')?.lag, { value: 20, unit: 'events' });
    assert.equal(station(drawn, 'store')?.total, 97);
    assert.equal(drawn.freshness.changes, 100);
    assert.ok(Math.abs((drawn.freshness.p50Seconds ?? 0) - 0.505) < 0.001);
    assert.ok(Math.abs((drawn.freshness.p99Seconds ?? 0) - 0.99) < 0.01);
    assert.equal(drawn.unaccounted, 0);
    assert.equal(drawn.deadLetters, 2);
  });

  test('count lag to the ends that the broker has now', async () => {
    const [pipeline] = await list();
    assert.equal(pipeline?.state, 'running');
    assert.equal(pipeline?.ratePerSec, 12.5);
    assert.equal(pipeline?.lag, 20);
    assert.equal(pipeline?.partitions[0]?.endOffset, '120');
  });

  test('ask the other services once in two seconds, however many ask', async () => {
    await Promise.all(Array.from({ length: 20 }, () => overview()));
    assert.equal(services.requests, 3);
  });

  test('turn totals into rates between two looks', async () => {
    const first = await overview();
    assert.equal(station(first, 'capture')?.ratePerSec, null);
    services.answers.set('/capture/metrics', captureMetrics(1010));
    const second = await eventually('the next look', async () => {
      const drawn = await overview();
      return drawn.at === first.at ? undefined : drawn;
    });
    const seconds = (Date.parse(second.at) - Date.parse(first.at)) / 1000;
    const rate = station(second, 'capture')?.ratePerSec ?? 0;
    assert.ok(Math.abs(rate - 1000 / seconds) < 0.2 * rate, `${rate} over ${seconds} s`);
    assert.equal(station(second, 'broker')?.ratePerSec, 0);
  });

  test('show what still answers while the rest is down', async () => {
    services.answers.clear();
    api.broker.failure = new Error('no broker');
    const drawn = await overview();
    assert.deepEqual(
      drawn.stations.map(({ id, state }) => [id, state]),
      [
        ['database', 'ok'],
        ['capture', 'down'],
        ['broker', 'down'],
        ['consumer', 'down'],
        ['store', 'ok'],
      ],
    );
    assert.match(station(drawn, 'consumer')?.detail ?? '', /status 500/);
    const pipelines = await list();
    assert.deepEqual(
      pipelines.map(({ name, state }) => [name, state]),
      [
        ['changes-to-log', 'unknown'],
        ['changes-to-store', 'unknown'],
        ['reviews-to-postgres', 'unknown'],
        ['dead-letters-to-postgres', 'unknown'],
      ],
    );
    assert.equal(pipelines[1]?.partitions[1]?.position, '31');
    assert.equal(pipelines[1]?.lag, null);
  });

  test('know the lag from stored positions while the consumer is down', async () => {
    services.answers.delete('/consumer/pipelines');
    const store = (await list()).find(({ name }) => name === 'changes-to-store');
    assert.deepEqual(
      store?.partitions.map(({ lag }) => lag),
      [20, 0],
    );
    assert.equal(store?.lag, 20);
  });

  test('take an answer in a shape that nobody knows for no answer', async () => {
    services.answers.set('/consumer/pipelines', '{"items":[{"name":7}]}');
    services.answers.set('/capture/metrics', 'not metrics at all\n{{{{');
    const drawn = await overview();
    assert.equal(station(drawn, 'consumer')?.state, 'down');
    assert.match(station(drawn, 'consumer')?.detail ?? '', /shape/);
    assert.equal(station(drawn, 'capture')?.detail, 'no changefeed yet');
  });

  test('say which part of capture is not well', async () => {
    const metrics = captureMetrics(1)
      .replace('"normal"} 1', '"normal"} 0')
      .replace('"warning"} 0', '"warning"} 1');
    services.answers.set('/capture/metrics', metrics);
    const found = station(await overview(), 'capture');
    assert.deepEqual([found?.state, found?.detail], ['degraded', 'changefeed sre-cdc is warning']);
  });

  test('are closed while the database, which knows who is signed in, is down', async () => {
    const { token } = admin;
    await overview();
    await postgres.pause('immediate');
    try {
      const answer = await api.ask('GET', '/api/overview', { token });
      assert.deepEqual([answer.status, answer.code], [503, 'DATABASE_UNAVAILABLE']);
    } finally {
      await postgres.resume();
    }
  });
});
