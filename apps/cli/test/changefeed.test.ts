import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { tidemarkHere } from './in-process.ts';
import { startTicdcStandIn, type TicdcStandIn, tso } from './ticdc-stand-in.ts';

describe('tidemark changefeed with TiCDC', () => {
  let ticdc: TicdcStandIn;
  let folder: string;
  let first = 0;
  before(async () => {
    ticdc = await startTicdcStandIn();
    folder = await mkdtemp(join(tmpdir(), 'tidemark-changefeed-'));
  });
  beforeEach(() => {
    first = ticdc.seen.length;
  });
  after(async () => {
    await ticdc.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const call = (...args: string[]) => tidemarkHere(['changefeed', ...args, '--server', ticdc.url]);
  /** The requests of the test, as `METHOD path`. */
  const asked = () => ticdc.seen.slice(first).map(({ method, path }) => `${method} ${path}`);
  const base = '/api/v2/changefeeds';

  test('list shows state and checkpoint, and asks for a state', async () => {
    const { code, stdout } = await call('list', '--state', 'all');
    assert.equal(code, 0);
    assert.match(stdout, /test +normal +2024-02-06 14:41:05\.733/);
    assert.deepEqual(asked(), [`GET ${base}?state=all`]);
  });

  test('get shows the changefeed; as JSON with every digit and every field', async () => {
    const { stdout } = await call('get', 'test');
    assert.match(stdout, /sink +kafka:\/\/127\.0\.0\.1:9092\/test\?protocol=canal-json\n/);
    assert.match(stdout, /tables +\*\.\*\n/);
    const json = await call('get', 'test', '--json');
    assert.match(json.stdout, new RegExp(`"checkpoint_ts": ${tso},`));
    assert.match(json.stdout, /"upstream_id": 7178706266519722477,/);
    assert.deepEqual((JSON.parse(json.stdout) as { task_status: unknown[] }).task_status.length, 1);
  });

  test('create sends what was said and no more', async () => {
    const sink = 'kafka://127.0.0.1:9092/test?protocol=canal-json';
    const { code } = await call('create', 'test', '--sink-uri', sink, '--rules', 'a.*, !a.logs');
    assert.equal(code, 0);
    assert.deepEqual(ticdc.seen.at(-1)?.body, {
      changefeed_id: 'test',
      sink_uri: sink,
      replica_config: { filter: { rules: ['a.*', '!a.logs'] } },
    });
  });

  test('update keeps the rest of the configuration', async () => {
    await call('update', 'test', '--rules', 'a.*');
    assert.deepEqual(asked(), [`GET ${base}/test`, `PUT ${base}/test`]);
    const config = ticdc.seen.at(-1)?.body?.['replica_config'] as Record<string, unknown>;
    assert.deepEqual(config['filter'], { rules: ['a.*'], event_filters: null });
    assert.deepEqual(config['mounter'], { worker_num: 16 });
    const file = join(folder, 'config.json');
    await writeFile(file, '{"case_sensitive": true}');
    await call('update', 'test', '--config', file);
    assert.deepEqual(ticdc.seen.at(-1)?.body, { replica_config: { case_sensitive: true } });
  });

  test('pause, resume and remove use the documented calls', async () => {
    for (const action of ['pause', 'resume', 'remove']) assert.equal((await call(action, 'test')).code, 0);
    assert.deepEqual(asked(), [`POST ${base}/test/pause`, `POST ${base}/test/resume`, `DELETE ${base}/test`]);
  });

  test('status shows a warning with its reason, and its exit code says that something is wrong', async () => {
    const { code, stdout } = await call('status', 'test');
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`test  warning  checkpoint ${tso}\n`));
    assert.match(stdout, /run out of available brokers \(CDC:ErrKafkaSendMessage\)/);
  });

  test('what the server refuses is told in its words', async () => {
    const { code, stderr } = await call('get', 'other');
    assert.equal(code, 1);
    assert.equal(stderr, 'tidemark: changefeed not exists, other (CDC:ErrChangeFeedNotExists)\n');
  });

  for (const [args, says] of [
    [['frobnicate'], 'there is no action frobnicate'],
    [['get'], 'ID is missing'],
    [['create', 'x'], '--sink-uri is missing'],
    [['create', 'x', '--sink-uri', 'k', '--config', '/nowhere'], '--config /nowhere cannot be read: ENOENT'],
  ] as const) {
    test(`${args.join(' ')}: one line says what is wrong, exit code 2`, async () => {
      const { code, stderr } = await call(...args);
      assert.ok(stderr.startsWith(`tidemark: ${says}`), stderr);
      assert.equal(code, 2);
    });
  }

  test('a server that is not there is said to be', async () => {
    const { code, stderr } = await tidemarkHere(['changefeed', 'list', '--server', 'http://127.0.0.1:1']);
    assert.equal(code, 1);
    assert.match(stderr, /^tidemark: http:\/\/127\.0\.0\.1:1 does not answer: .*\n {2}Start the stack/);
  });
});
