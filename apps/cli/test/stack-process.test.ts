import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { freePort } from '@tidemark/embedded-postgres';
import { eventually } from '@tidemark/testkit';
import { isRunning, killGroup, type ProcessIdentity } from '../src/supervisor/process-identity.ts';
import { readRunState } from '../src/supervisor/run-state.ts';
import { tidemarkHere } from './in-process.ts';
import { type RunningCommand, standInStack, startCommand } from './tidemark.ts';

/** What the real supervisor process does, with small stand-ins for the services. */
describe('a running stack', () => {
  let folder: string;
  let data: string;
  let ports: Record<string, number>;
  const started: RunningCommand[] = [];
  const seen: ProcessIdentity[] = [];

  const up = (env: Readonly<Record<string, Readonly<Record<string, string>>>> = {}) => {
    const stack = JSON.stringify({ data, events: join(folder, 'events'), ports, env });
    const command = startCommand([], { entry: standInStack, env: { STACK: stack } });
    started.push(command);
    return command;
  };
  const ready = async (env?: Parameters<typeof up>[0]) => {
    const command = up(env);
    await command.says('Ready in');
    await processes();
    return command;
  };
  /** The processes of the services, by name, as the supervisor wrote them down. */
  const processes = async () => {
    const services = await eventually('state of all services', async () => {
      const all = (await readRunState(join(data, 'run', 'state.json')))?.services;
      return all?.every(({ process }) => process !== null) && all;
    });
    const found = new Map<string, ProcessIdentity>();
    for (const { name, process } of services) if (process) found.set(name, process);
    seen.push(...found.values());
    return found;
  };
  const happened = async () => (await readFile(join(folder, 'events'), 'utf8')).trim().split('\n');
  const allEnded = async () => {
    for (const process of seen) await eventually('end of a service', async () => !(await isRunning(process)));
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark stack-'));
    data = join(folder, 'data folder');
    ports = {};
    for (const name of ['database', 'writer', 'reader']) ports[name] = await freePort('127.0.0.1');
  });
  afterEach(async () => {
    for (const { child } of started.splice(0)) child.kill('SIGKILL');
    for (const process of seen.splice(0)) await killGroup(process);
    await rm(folder, { recursive: true, force: true });
  });

  test('comes up, prints no control characters into a pipe, and ends in order on SIGTERM', async () => {
    const command = await ready();
    await allReady();
    command.child.kill('SIGTERM');
    const { code, stdout, stderr } = await command.outcome;
    assert.equal(code, 0);
    assert.equal(stderr, '');
    assert.match(
      stdout,
      /✓ database .*\n.*✓ writer .*\n.*✓ reader .*\n\n {2}Ready in .*\n {2}hello\n\n {2}stopping …\n {2}stopped in/,
    );
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f]/);
    assert.deepEqual(
      (await happened()).filter(line => line.endsWith('stops')),
      ['reader stops', 'writer stops', 'database stops'],
    );
    await allEnded();
  });

  const allReady = async () => {
    const { code, stdout } = await tidemarkHere(['status', '--json', '--data', data]);
    const report = JSON.parse(stdout) as { supervisor: { running: boolean }; services: { name: string }[] };
    assert.equal(report.supervisor.running, true);
    assert.deepEqual(
      report.services.map(({ name }) => name),
      ['database', 'writer', 'reader'],
    );
    assert.equal(code, 1); // the stand-ins do not listen where status asks the real services
  };

  test('is ended by tidemark down from another process', async () => {
    const command = await ready();
    const { code, stdout } = await tidemarkHere(['down', '--data', data]);
    assert.deepEqual([code, stdout], [0, '  stopped\n']);
    assert.equal((await command.outcome).code, 0);
    await allEnded();
  });

  test('a second Ctrl-C does not wait for a service that drains', async () => {
    const command = await ready({ reader: { DRAIN_MS: '60000' }, writer: { IGNORE_SIGTERM: '1' } });
    command.child.kill('SIGINT');
    await command.says('stopping');
    const { stdout } = await interruptUntilEnded(command);
    assert.match(stdout, /stopped in [0-5]\.\d s/);
    await allEnded();
  });

  test('one Ctrl-C that arrives twice is one', async () => {
    const command = await ready({ reader: { DRAIN_MS: '400' } });
    command.child.kill('SIGINT');
    command.child.kill('SIGINT');
    await command.outcome;
    assert.ok((await happened()).includes('reader ended'), 'the reader was not killed');
  });

  test('a signal during the start ends what has started', async () => {
    const command = up({ writer: { READY_WHEN: join(folder, 'never') } });
    await eventually('start of the writer', async () => (await happened()).includes('writer begins'));
    command.child.kill('SIGTERM');
    assert.equal((await command.outcome).code, 0);
    const lines = await happened();
    assert.ok(lines.includes('database ended') && !lines.includes('reader begins'), lines.join(', '));
  });

  test('without a terminal, a hang-up is nobody hanging up', async () => {
    const command = await ready();
    command.child.kill('SIGHUP');
    command.child.kill('SIGHUP');
    assert.equal((await tidemarkHere(['down', '--data', data])).stdout, '  stopped\n');
    await command.outcome;
  });

  test('ends in order when nobody reads its output any more', async () => {
    const dieWhile = join(folder, 'never');
    const command = await ready({ writer: { DIE_WHILE: dieWhile } });
    command.child.stdout.destroy();
    const writer = (await processes()).get('writer');
    assert.ok(writer);
    process.kill(writer.pid, 'SIGKILL'); // gives it something to say
    assert.equal((await command.outcome).stderr, '');
    await allEnded();
  });

  test('after kill -9 its services end by themselves and the next one comes up', async () => {
    const command = await ready();
    command.child.kill('SIGKILL');
    await command.outcome;
    await allEnded();
    assert.ok((await happened()).includes('reader lost its parent'));
    const next = await ready();
    next.child.kill('SIGTERM');
    assert.equal((await next.outcome).code, 0);
  });

  test('after kill -9 the next one ends services that do not end by themselves, and says so', async () => {
    const orphan = { TIDEMARK_STOP_WITH_PARENT: '0' };
    const command = await ready({ database: orphan, writer: orphan });
    command.child.kill('SIGKILL');
    await command.outcome;
    const next = await ready();
    assert.match(next.stdout(), /ended what an earlier run had left behind: database, writer/);
    next.child.kill('SIGTERM');
    await next.outcome;
    await allEnded();
  });

  test('after kill -9 tidemark status shows what is left and tidemark down ends it', async () => {
    const command = await ready({ database: { TIDEMARK_STOP_WITH_PARENT: '0' } });
    command.child.kill('SIGKILL');
    await command.outcome;
    const status = await tidemarkHere(['status', '--data', data]);
    assert.match(status.stdout, /the supervisor is not running/);
    const { stdout } = await tidemarkHere(['down', '--data', data]);
    assert.match(stdout, /the supervisor was gone already; ended what it had left behind: .*database/);
    await allEnded();
  });

  test('a second one on the same data is refused with one line', async () => {
    const first = await ready();
    const { code, stderr } = await up().outcome;
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(
        `^tidemark: a stack is already running on this data folder \\(process ${first.child.pid}\\)\\n  .*\\n$`,
      ),
    );
    first.child.kill('SIGTERM');
    await first.outcome;
  });

  test('of two that start at once exactly one comes up', async () => {
    const both = [up(), up()];
    const loser = await Promise.race(
      both.map(async command => ({ command, outcome: await command.outcome })),
    );
    assert.match(loser.outcome.stderr, /a stack is already running/);
    const winner = both.find(command => command !== loser.command);
    await winner?.says('Ready in');
    await processes();
    winner?.child.kill('SIGTERM');
    assert.equal((await winner?.outcome)?.code, 0);
  });

  test('a service that keeps dying fails the start, with its last words and everything else stopped', async () => {
    const broken = join(folder, 'events'); // is there as soon as the first service has begun
    const command = up({ reader: { DIE_WHILE: broken } });
    const { code, stdout, stderr } = await command.outcome;
    assert.equal(code, 1);
    assert.match(stdout, /! reader ended with exit code 7; starting it again in/);
    assert.match(stdout, /✗ reader .* keeps dying; its last words:\n(.*\n)* {6}these are its last words/);
    assert.match(stderr, /^tidemark: reader keeps dying and was given up: it ended with exit code 7\n/);
    assert.ok((await happened()).includes('database ended'));
  });

  test('a port that is taken is told before anything starts', async () => {
    const other = createServer().listen(ports['writer'], '127.0.0.1');
    try {
      const { code, stderr } = await up().outcome;
      assert.equal(code, 1);
      assert.match(
        stderr,
        new RegExp(`^tidemark: port ${ports['writer']} \\(writer\\) is taken by another program\\n`),
      );
      await assert.rejects(happened());
    } finally {
      other.close();
    }
  });

  test('its data is not deleted while it runs', async () => {
    const command = await ready();
    const { code, stderr } = await tidemarkHere(['reset', '--yes', '--data', data]);
    assert.equal(code, 1);
    assert.match(stderr, /a stack is already running/);
    command.child.kill('SIGTERM');
    assert.equal((await command.outcome).code, 0);
  });
});

/** Asks again as a person does, until the process is gone. */
async function interruptUntilEnded(command: RunningCommand) {
  let ended = false;
  const outcome = command.outcome.finally(() => (ended = true));
  await eventually('end', () => ended || (command.child.kill('SIGINT') && false), { everyMs: 100 });
  return outcome;
}
