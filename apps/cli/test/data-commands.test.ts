import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RunningBroker, startBroker } from '@tidemark/broker';
import { decodeReview, ensureTopics, LogReader } from '@tidemark/connectors';
import { topics } from '@tidemark/contracts';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { tidemarkHere } from './in-process.ts';

interface LagReport {
  readonly groups: readonly {
    readonly group: string;
    readonly lag: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly lag: string;
      readonly oldestSeconds: number | null;
    }[];
  }[];
}

describe('the commands about events, on a real broker and a real database', () => {
  let postgres: TestPostgres;
  let broker: RunningBroker;
  let admin: Admin;
  let env: Record<string, string>;
  before(async () => {
    [postgres, broker] = await Promise.all([startPostgres({ migrated: true }), startBroker({ port: 0 })]);
    env = { DATABASE_URL: postgres.url, KAFKA_BROKERS: broker.address };
    await ensureTopics({ brokers: [broker.address], clientId: 'test' }, [topics.events]);
    admin = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  });
  after(async () => {
    await admin?.disconnect();
    await broker?.stop();
    await postgres?.stop();
  });

  const here = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    tidemarkHere(args, { env: { ...env, ...more } });
  const events = async () => {
    const log = new LogReader({ brokers: [broker.address], clientId: 'test' });
    const found = [];
    const starts = await log.starts(topics.events);
    for (const [partition, end] of (await log.ends(topics.events)).entries()) {
      for await (const records of log.read(topics.events, partition, starts[partition] ?? 0n, end)) {
        found.push(...records);
      }
    }
    await log.close();
    return found;
  };

  test('produce takes flags before the environment, and its poison and duplicates are in the topic', async () => {
    const flags = ['produce', '--rate', '1000', '--duration', '500ms', '--seed', '3', '--poison-pct', '20'];
    const { code, stdout } = await here([...flags, '--duplicate-pct', '10'], {
      RATE_PER_SEC: '1',
      SEED: '9',
    });
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}500 events in 0\.\d s, \d+ a second; seed 3\n$/);
    const found = await events();
    assert.equal(found.length, 500);
    const refused = found.filter(record => decodeReview(record).fate === 'rejected').length;
    assert.ok(refused > 50 && refused < 150, `${refused} of 500 are poison`);
    const good = found
      .filter(record => decodeReview(record).fate === 'deliver')
      .map(({ value }) => String(value));
    assert.ok(new Set(good).size < good.length, 'some came twice');
  });

  test('produce is told by the environment, and ends when it is interrupted', async () => {
    const told = await here(['produce'], { RATE_PER_SEC: '100', DURATION: '300ms', KAFKA_TOPIC: 'other' });
    assert.match(told.stdout, /^ {2}30 events in /);
    const ended = await tidemarkHere(['produce', '--topic', 'other'], {
      env,
      interrupted: AbortSignal.timeout(200),
    });
    assert.equal(ended.code, 0);
    assert.match(ended.stdout, /^ {2}\d+ events in 0\.\d s/);
  });

  test('produce says when the broker does not take what it was asked for', async () => {
    const { stderr } = await here([
      'produce',
      '--topic',
      'other',
      '--rate',
      '1000000',
      '--duration',
      '300ms',
    ]);
    assert.match(stderr, /1000000 events a second was more than the broker takes/);
  });

  test('lag is that of the log: behind a foreign client’s offsets, clamped to what the log still has', async () => {
    await here(['produce', '--rate', '1000', '--duration', '300ms', '--hot-key-pct', '20', '--seed', '1']);
    const group = 'somebody-else';
    const ends = await admin.fetchTopicOffsets(topics.events);
    const partitions = ends.map(({ partition, high }) => ({ partition, offset: String(Number(high) - 5) }));
    await admin.setOffsets({ groupId: group, topic: topics.events, partitions });
    const read = async (...more: string[]) => {
      const { code, stdout } = await here(['lag', '--group', group, '--json', ...more]);
      assert.equal(code, 0);
      return JSON.parse(stdout) as LagReport;
    };
    const [found] = (await read()).groups;
    assert.equal(found?.lag, String(5 * ends.length));
    for (const { lag, oldestSeconds } of found?.partitions ?? []) {
      assert.equal(lag, '5');
      assert.ok(oldestSeconds !== null && oldestSeconds >= 0 && oldestSeconds < 120, `${oldestSeconds} s`);
    }
    const first = ends.find(({ partition }) => partition === 0);
    const cut = [{ partition: 0, offset: String(Number(first?.high) - 2) }];
    await admin.deleteTopicRecords({ topic: topics.events, partitions: cut });
    const [after] = (await read()).groups;
    assert.equal(after?.partitions.find(({ partition }) => partition === 0)?.lag, '2');
    const { stdout } = await here(['lag']);
    assert.match(stdout, /somebody-else +events\.main\/0 +\d+ +\d+ +2 +\d+\.\d s/);
    assert.deepEqual((await read('--topic', 'no-such-topic')).groups, []);
  });

  test('lag --watch looks until it is interrupted; as JSON each look is a line', async () => {
    const ended = new AbortController();
    const lines: string[] = [];
    const { code } = await tidemarkHere(['lag', '--watch', '--json'], {
      env,
      interrupted: ended.signal,
      onLine(line) {
        lines.push(line);
        if (lines.length === 2) ended.abort();
      },
    });
    assert.equal(code, 0);
    assert.ok(lines.length === 2 && lines.every(line => 'groups' in (JSON.parse(line) as object)));
  });

  test('an audit of a stack that has not begun is balanced, and says so', async () => {
    const { code, stdout } = await here(['audit']);
    assert.equal(code, 0);
    assert.match(stdout, /reviews-to-postgres has no books yet[\s\S]*The books balance\./);
  });

  test('a dead letter that is not there, or not open any more, is one line', async () => {
    const id = '00000000-0000-5000-8000-000000000001';
    for (const args of [
      ['show', id],
      ['edit', id, '--payload', '{}'],
      ['replay', id],
      ['discard', id],
    ]) {
      const { code, stderr } = await here(['dlq', ...args]);
      assert.equal(code, 1);
      assert.equal(stderr.split('\n')[0], `tidemark: there is no dead letter ${id}`);
    }
    assert.equal((await here(['dlq', 'list'])).stdout, '  no dead letter matches\n');
  });

  test('fields are set where they are and where they are not; what is no JSON takes a whole payload only', async () => {
    const id = '00000000-0000-5000-8000-000000000002';
    const insert = (payload: string) =>
      postgres.query(
        `INSERT INTO dlq_events (event_id, pipeline, source_topic, source_partition, source_offset, reason, error, payload_bytes)
         VALUES ($1, 'reviews-to-postgres', 'events.main', 0, 1, 'invalid', 'invalid: no', $2)
         ON CONFLICT (event_id) DO UPDATE SET payload_bytes = $2, edited = NULL`,
        [id, Buffer.from(payload)],
      );
    const edited = async (...args: string[]) => {
      const outcome = await here(['dlq', 'edit', id, '--json', ...args]);
      return outcome.code === 0
        ? (JSON.parse(outcome.stdout) as { payload: string }).payload
        : outcome.stderr;
    };
    await insert('{"a":{"b":1},"c":[1]}');
    assert.equal(await edited('--set', 'a.b=2'), '{"a":{"b":2},"c":[1]}');
    assert.equal(await edited('--set', 'a.d.e=bare word'), '{"a":{"b":2,"d":{"e":"bare word"}},"c":[1]}');
    assert.equal(
      await edited('--set', '__proto__.x="=" '),
      '{"a":{"b":2,"d":{"e":"bare word"}},"c":[1],"__proto__":{"x":"="}}',
    );
    assert.match(await edited('--set', 'a'), /--set takes FIELD=JSON/);
    assert.match(await edited(), /edit needs one of --set, --payload and --file/);
    assert.match(await edited('--file', '/no/such/file'), /\/no\/such\/file cannot be read \(ENOENT\)/);
    await insert('not valid json at all');
    assert.match(await edited('--set', 'a=1'), /the payload is not a JSON object/);
    assert.equal(await edited('--payload', '{"whole":true}'), '{"whole":true}');
    const shown = await here(['dlq', 'show', id]);
    assert.match(shown.stdout, /original +not valid json at all\n[\s\S]*edited to +\{"whole":true\}/);
  });

  test('a database or a broker that is not there is one line that says what to do', async () => {
    const nowhere = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing', KAFKA_BROKERS: '127.0.0.1:1' };
    for (const [args, says] of [
      [['dlq', 'list'], /^tidemark: the database nothing at 127\.0\.0\.1:1 does not answer \(/],
      [['audit'], /^tidemark: the database nothing at 127\.0\.0\.1:1 does not answer \(/],
      [['lag'], /^tidemark: the broker at 127\.0\.0\.1:1 does not do what was asked/],
      [['produce', '--duration', '1s'], /^tidemark: the broker at 127\.0\.0\.1:1 does not do what was asked/],
    ] as const) {
      const { code, stderr } = await here(args, nowhere);
      assert.equal(code, 1);
      assert.match(stderr.split('\n')[0] ?? '', says);
      assert.equal(stderr.trim().split('\n').length, 2, stderr);
    }
    const empty = postgres.url.replace(/\/[^/]*$/, '/postgres');
    const { stderr } = await here(['dlq', 'list'], { DATABASE_URL: empty });
    assert.match(stderr, /^tidemark: the database does not have the tables of this version \(/);
  });
});
