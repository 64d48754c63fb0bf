import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ports } from '@tidemark/contracts';
import { errorCode } from '@tidemark/kernel';
import { tidemarkHere } from './in-process.ts';
import { tidemark } from './tidemark.ts';

describe('calling tidemark', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-usage-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const [args, says] of [
    [['frobnicate'], 'there is no command frobnicate'],
    [['constructor'], 'there is no command constructor'],
    [['help', 'frobnicate'], 'there is no command frobnicate'],
    [['up', '--frobnicate'], "Unknown option '--frobnicate'"],
    [['up', '--data'], "Option '--data <value>' argument missing"],
    [['up', 'everything'], 'unexpected argument everything'],
    [['up', '--port-offset', 'many'], '--port-offset takes a whole number from 0 to 55891, not "many"'],
    [['up', '--port-offset=-1'], '--port-offset takes a whole number from 0 to 55891, not "-1"'],
    [['up', '--port-offset', '60000'], '--port-offset takes a whole number from 0 to 55891, not "60000"'],
    [['up', '--only', 'api,kitchen'], 'there is no service kitchen'],
    [['logs', '--lines', '1e3'], '--lines takes a whole number from 0 to 1000000, not "1e3"'],
    [['verify-password'], 'EMAIL is missing'],
    [['produce', '--rate', 'fast'], '--rate must be a number, not "fast"'],
    [['produce', '--rate', '0'], '--rate must lie between 0.01 and 1000000, not "0"'],
    [['produce', '--duration', '30'], '--duration must be a duration such as 500ms, 30s, 5m or 1h, not "30"'],
    [['produce', '--poison-pct', '101'], '--poison-pct must lie between 0 and 100, not "101"'],
    [
      ['audit', '--pipeline', 'all'],
      '--pipeline takes one of reviews-to-postgres, changes-to-store, dead-letters-to-postgres, not "all"',
    ],
    [['lag', 'everything'], 'unexpected argument everything'],
    [['dlq'], 'list|show|edit|replay|discard|rebuild is missing'],
    [['dlq', 'burn'], 'there is no dlq burn; choose from list, show, edit, replay, discard, rebuild'],
    [
      ['dlq', 'constructor'],
      'there is no dlq constructor; choose from list, show, edit, replay, discard, rebuild',
    ],
    [['dlq', 'show'], 'show needs the id of a dead letter'],
    [['dlq', 'show', '7'], '7 is not the id of a dead letter'],
    [['dlq', 'list', '--dry-run'], '--dry-run does not go with dlq list'],
    [['dlq', 'list', '--from', 'yesterday'], /^--from takes a time such as .*, not "yesterday"$/],
    [['dlq', 'list', '--status', 'burnt'], '--status takes open, replayed, discarded, not "burnt"'],
    [['dlq', 'replay'], 'replay needs ids, a filter, or --all for every open letter'],
    [['dlq', 'replay', '--all', '--key', 'k'], '--all does not go with ids or filters'],
    [['dlq', 'replay', '--all', '--rate', '0'], '--rate takes a number above 0, not "0"'],
    [
      ['dlq', 'discard', '--status', 'replayed'],
      'only open letters can be discarded, not those that were replayed',
    ],
    [['up', '--source', 'hunter2'], '--source takes the URL of a PostgreSQL database'],
    [['up', '--source', 'mysql://root:hunter2@h/d'], '--source takes the URL of a PostgreSQL database'],
  ] as const) {
    test(`${args.join(' ')}: one line says what is wrong, exit code 2`, async () => {
      const { code, stdout, stderr } = await tidemarkHere(args);
      const [first = ''] = stderr.split('\n');
      if (typeof says === 'string') assert.equal(first, `tidemark: ${says}`);
      else assert.match(first.replace('tidemark: ', ''), says);
      assert.equal(stderr.trim().split('\n').length, 2, stderr); // the second line says what to do
      assert.equal(stdout, '');
      assert.equal(code, 2);
    });
  }

  test('a source that does not let us in is said to be before anything is started, without its password', async () => {
    const source = 'postgres://someone:hunter2@127.0.0.1:1/shop';
    const { code, stdout, stderr } = await tidemarkHere([
      'up',
      '--data',
      join(folder, 'up'),
      '--source',
      source,
    ]);
    assert.match(stderr, /^tidemark: the source 127\.0\.0\.1:1\/shop does not let us in .*ECONNREFUSED/);
    assert.doesNotMatch(stdout + stderr, /hunter2/);
    assert.equal(code, 1);
  });

  test('is the same as a process', async () => {
    const { code, stdout, stderr } = await tidemark(['frobnicate'], { cwd: folder });
    assert.deepEqual(
      { code, stdout, stderr },
      { code: 2, stdout: '', stderr: 'tidemark: there is no command frobnicate\n  See `tidemark help`.\n' },
    );
  });

  test('without a command it shows all of them', async () => {
    const { code, stdout } = await tidemarkHere([]);
    assert.equal(code, 0);
    for (const name of ['up', 'down', 'status', 'logs', 'open', 'reset', 'verify-password', 'bench']) {
      assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    }
  });

  test('help shows the options of a command, asked either way', async () => {
    const [asked, flagged] = await Promise.all([
      tidemarkHere(['help', 'up']),
      tidemarkHere(['up', '--help']),
    ]);
    assert.match(asked.stdout, /^Usage: tidemark up \[--detach\] \[--data DIR\]/);
    assert.equal(flagged.stdout, asked.stdout);
  });

  test('commands about a stack that never ran say so', async () => {
    const data = join(folder, 'never');
    const of = (...args: string[]) => tidemarkHere([...args, '--data', data]);
    const [status, down, open, logs, reset] = await Promise.all([
      of('status'),
      of('down'),
      of('open'),
      of('logs'),
      of('reset'),
    ]);
    assert.match(status.stdout, /nothing has run on .*never yet/);
    assert.equal(status.code, 1);
    assert.match(down.stdout, /nothing is running/);
    assert.equal(down.code, 0);
    assert.match(open.stderr, /no stack is running on/);
    assert.equal(open.code, 1);
    assert.match(logs.stderr, /there are no logs/);
    assert.match(reset.stdout, /no data of a stack/);
    assert.deepEqual(await readdir(folder).then(names => names.includes('never')), false);
  });

  test('status --json of a stack that never ran has the shape that scripts read', async () => {
    const { stdout } = await tidemarkHere(['status', '--json', '--data', join(folder, 'never')]);
    assert.deepEqual(JSON.parse(stdout), {
      ready: false,
      data: join(folder, 'never'),
      supervisor: { running: false, pid: null },
      startedAt: null,
      services: [],
    });
  });
});

describe('tidemark up refuses', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-refuse-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const refused = async (args: readonly string[]) => {
    const { code, stderr } = await tidemarkHere(['up', ...args]);
    assert.equal(code, 1);
    assert.equal(stderr.trim().split('\n').length, 2, stderr);
    return stderr;
  };

  test('a data folder in whose place there is a file', async () => {
    await writeFile(join(folder, 'file'), '');
    assert.match(
      await refused(['--data', join(folder, 'file')]),
      /cannot be written \(a file of that name is in the way\)/,
    );
    assert.match(
      await refused(['--data', join(folder, 'file/below')]),
      /cannot be written \(a part of the path is a file\)/,
    );
    assert.match(await refused(['--data', join(folder, 'file'), '--detach']), /cannot be written/);
  });

  test('a data folder in a file system that takes none', {
    skip: process.platform !== 'linux' && 'needs /proc',
  }, async () => {
    assert.match(await refused(['--data', '/proc/tidemark']), /cannot be written/);
  });

  test('a folder that holds something else, and leaves it as it is', async () => {
    await mkdir(join(folder, 'documents', 'logs'), { recursive: true });
    await writeFile(join(folder, 'documents', 'thesis.txt'), '');
    assert.match(
      await refused(['--data', join(folder, 'documents')]),
      /holds other things than a stack \(thesis.txt\)/,
    );
    assert.deepEqual((await readdir(join(folder, 'documents'))).sort(), ['logs', 'thesis.txt']);
  });

  test('taken ports, all of them in one line, also when only ::1 or every address has them', async () => {
    const { offset, servers } = await occupy([
      [ports.api, hasIpv6 ? '::1' : '127.0.0.1'],
      [ports.broker, '0.0.0.0'],
    ]);
    try {
      const line = await refused(['--data', join(folder, 'ports'), '--port-offset', String(offset)]);
      for (const [port, name] of [
        [ports.broker, 'broker'],
        [ports.api, 'api'],
      ] as const) {
        assert.match(
          line,
          new RegExp(
            `^tidemark: ports .*\\b${port + offset} \\(${name}\\).* are taken by another program\\n`,
          ),
        );
      }
    } finally {
      for (const server of servers) server.close();
    }
  });
});

const hasIpv6 = Object.values(networkInterfaces()).some(addresses =>
  addresses?.some(({ address }) => address === '::1'),
);

/** Listens on some ports of a stack that is moved to where they are free, below the ports that systems hand out. */
async function occupy(wanted: readonly (readonly [port: number, host: string])[]) {
  for (;;) {
    const offset = 11_000 + Math.floor(Math.random() * 11_000);
    const servers: Server[] = [];
    try {
      for (const [port, host] of wanted) servers.push(await listen(port + offset, host));
      return { offset, servers };
    } catch (error) {
      for (const server of servers) server.close();
      if (errorCode(error) !== 'EADDRINUSE') throw error;
    }
  }
}

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}
