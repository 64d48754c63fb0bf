import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test } from 'node:test';
import { deferred, type Host, lifecycle, runMain, type Service, TidemarkError } from '../src/index.ts';

/** A process that only looks like one. */
function fakeHost(env: Host['env'] = {}) {
  const signals = new EventEmitter();
  const stdin = Object.assign(new EventEmitter(), { resumed: false, resume: () => (stdin.resumed = true) });
  const stdout = new EventEmitter();
  const said: string[] = [];
  const stderr = Object.assign(new EventEmitter(), { write: (text: string) => said.push(text) });
  const exited = deferred<number>();
  const codes: number[] = [];
  const host: Host = {
    env,
    argv: [],
    stdin,
    stdout,
    stderr,
    on: (signal, listener) => signals.on(signal, listener),
    exit(code) {
      codes.push(code);
      exited.resolve(code);
    },
  };
  return { host, signals, stdin, stdout, stderr, said, codes, exited: exited.promise };
}

const service = (parts: Partial<Service> = {}): Service =>
  lifecycle('fake', { start: () => Promise.resolve(), stop: () => Promise.resolve(), ...parts });

describe('running a service as a process', () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal} stops it once and ends with 0`, async () => {
      const { host, signals, codes, exited } = fakeHost();
      let stops = 0;
      await runMain(host, 'fake', () => service({ stop: async () => void (stops += 1) }));
      signals.emit(signal);
      signals.emit(signal);
      assert.equal(await exited, 0);
      assert.deepEqual([stops, codes], [1, [0]]);
    });
  }

  test('it composes from the environment of the host', async () => {
    const { host } = fakeHost({ NAME: 'value' });
    await runMain(host, 'fake', env => {
      assert.equal(env['NAME'], 'value');
      return service();
    });
  });

  test("a person's mistake ends with 1 and two lines, without a stack", async () => {
    const { host, said, exited } = fakeHost();
    await runMain(host, 'fake', () => {
      throw new TidemarkError('CONFIG_INVALID', 'PORT is not set', { hint: 'Set it.' });
    });
    assert.equal(await exited, 1);
    assert.deepEqual(said, ['fake: PORT is not set\n  Set it.\n']);
  });

  test('a failed start ends with 1 and, being a defect, with its stack', async () => {
    const { host, said, codes, exited } = fakeHost();
    await runMain(host, 'fake', () => service({ start: () => Promise.reject(new TypeError('defect')) }));
    assert.equal(await exited, 1);
    assert.deepEqual(codes, [1]);
    assert.match(said.join(''), /^fake: TypeError: defect\n {4}at /);
  });

  test('a failed stop ends with 1', async () => {
    const { host, signals, said, exited } = fakeHost();
    await runMain(host, 'fake', () => service({ stop: () => Promise.reject(new Error('stuck')) }));
    signals.emit('SIGTERM');
    assert.equal(await exited, 1);
    assert.match(said.join(''), /stuck/);
  });

  test('a signal during the start waits for it, stops, and ends with 0', async () => {
    const { host, signals, codes, exited } = fakeHost();
    const started = deferred();
    let stopped = false;
    const parts = { start: () => started.promise, stop: async () => void (stopped = true) };
    const running = runMain(host, 'fake', () => service(parts));
    await Promise.resolve();
    signals.emit('SIGTERM');
    started.resolve();
    await running;
    assert.equal(await exited, 0);
    assert.deepEqual([stopped, codes], [true, [0]]);
  });

  test('a start that fails because it was interrupted is not a failure', async () => {
    const { host, signals, said, codes, exited } = fakeHost();
    const started = deferred();
    const running = runMain(host, 'fake', () => service({ start: () => started.promise }));
    await Promise.resolve();
    signals.emit('SIGTERM');
    started.reject(new Error('interrupted'));
    await running;
    assert.equal(await exited, 0);
    assert.deepEqual([codes, said], [[0], []]);
  });

  test('the end of its input stops it when a supervisor holds the other end, and only then', async () => {
    const supervised = fakeHost({ TIDEMARK_STOP_WITH_PARENT: '1' });
    await runMain(supervised.host, 'fake', () => service());
    assert.equal(supervised.stdin.resumed, true);
    supervised.stdin.emit('end');
    supervised.stdin.emit('close');
    assert.equal(await supervised.exited, 0);
    assert.deepEqual(supervised.codes, [0]);

    const alone = fakeHost();
    await runMain(alone.host, 'fake', () => service());
    alone.stdin.emit('end');
    assert.deepEqual([alone.stdin.resumed, alone.codes], [false, []]);
  });

  test('nobody reading its output is no reason to end', async () => {
    const { host, stdout, stderr, codes } = fakeHost();
    await runMain(host, 'fake', () => service());
    stdout.emit('error', new Error('EPIPE'));
    stderr.emit('error', new Error('EPIPE'));
    assert.deepEqual(codes, []);
  });
});
