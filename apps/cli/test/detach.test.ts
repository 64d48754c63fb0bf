import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ports } from '@tidemark/contracts';
import { freePort } from '@tidemark/embedded-postgres';
import { eventually } from '@tidemark/testkit';
import { stackHolder } from '../src/supervisor/stack-lock.ts';
import { tidemarkHere } from './in-process.ts';
import { startCommand, tidemark } from './tidemark.ts';

/** The real thing with its one service that takes nothing but PostgreSQL. */
describe('a detached stack', () => {
  let parent: string;
  let data: string;
  let offset: string;
  before(async () => {
    parent = await mkdtemp(join(tmpdir(), 'tidemark detach-'));
    await chmod(parent, 0o755);
    data = join(parent, 'data');
    offset = String((await freePort('127.0.0.1')) - ports.postgres);
  });
  after(async () => {
    await tidemarkHere(['down', '--data', data]);
    await tidemarkHere(['reset', '--yes', '--data', data]);
    await rm(parent, { recursive: true, force: true });
  });

  const upArguments = () => ['up', '--detach', '--only', 'postgres', '--data', data, '--port-offset', offset];
  const up = () => tidemark(upArguments());
  const status = async () => {
    const { code, stdout } = await tidemarkHere(['status', '--json', '--data', data]);
    return {
      code,
      report: JSON.parse(stdout) as { services: unknown[]; supervisor: { pid: number | null } },
    };
  };

  test('comes up, outlives the command that started it, and is told about by status', async () => {
    const { code, stdout, stderr } = await up();
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      /✓ postgres .*\n\n {2}Ready in .*\n(.*\n)* {2}It runs in the background; stop it with tidemark down\.\n$/,
    );
    const { code: ready, report } = await status();
    assert.equal(ready, 0);
    assert.equal(report.supervisor.pid, (await stackHolder(join(data, 'run', 'lock')))?.pid);
    const [service] = report.services as Record<string, unknown>[];
    assert.deepEqual(Object.keys(service ?? {}).sort(), [
      'address',
      'answer',
      'memoryBytes',
      'name',
      'pid',
      'restarts',
      'since',
      'state',
      'trouble',
    ]);
    assert.equal(service?.['answer'], 'ready');
    assert.match((await tidemarkHere(['status', '--data', data])).stdout, /postgres {3}ready /);
  });

  test('is not started twice', async () => {
    const { code, stderr } = await up();
    assert.equal(code, 1);
    assert.match(stderr, /a stack is already running on this data folder/);
  });

  test('writes what it says into a log', async () => {
    assert.match(await readFile(join(data, 'logs', 'supervisor.log'), 'utf8'), /Ready in/);
    assert.match(
      (await tidemarkHere(['logs', 'postgres', '--data', data])).stdout,
      /ready to accept connections/,
    );
  });

  test('is stopped by tidemark down, the database in order', async () => {
    assert.deepEqual((await tidemarkHere(['down', '--data', data])).stdout, '  stopped\n');
    assert.equal((await status()).report.supervisor.pid, null);
    const log = await readFile(join(data, 'logs', 'postgres.log'), 'utf8');
    assert.match(log, /database system is shut down\s*$/, 'PostgreSQL ended in order');
  });

  test('comes up although nobody reads how', async () => {
    const command = startCommand(upArguments());
    command.child.stdout.destroy();
    assert.equal((await command.outcome).code, 0);
    assert.equal((await status()).code, 0);
    await tidemarkHere(['down', '--data', data]);
  });

  test('is ended by Ctrl-C as long as it comes up', async () => {
    const command = startCommand(upArguments());
    const pid = await eventually(
      'supervisor',
      async () => (await stackHolder(join(data, 'run', 'lock')))?.pid,
    );
    command.child.kill('SIGINT');
    await command.outcome;
    assert.equal(await stackHolder(join(data, 'run', 'lock')), undefined, `supervisor ${pid}`);
  });

  test('that cannot start hands its reason and its exit code to the command', async () => {
    const other = createServer();
    await new Promise<void>(resolve => other.listen(ports.postgres + Number(offset), '127.0.0.1', resolve));
    try {
      const { code, stderr } = await up();
      assert.equal(code, 1);
      assert.match(stderr, /^tidemark: port \d+ \(postgres\) is taken by another program\n/);
    } finally {
      other.close();
    }
  });
});
