import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { freePort } from '@tidemark/embedded-postgres';
import { deferred, systemClock } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { identify, isRunning } from '../src/supervisor/process-identity.ts';
import { readRunState } from '../src/supervisor/run-state.ts';
import type { ServiceStep, Step } from '../src/supervisor/step.ts';
import { Supervisor, type SupervisorEvents } from '../src/supervisor/supervisor.ts';
import { fixture, type StandIn, standInService } from './stand-in-service.ts';

const quickPolicy = {
  backoff: { baseMs: 5, capMs: 20 },
  deathsMax: 3,
  healthyAfterMs: 60_000,
  readyWithinMs: 10_000,
};

/** Everything that a supervisor told, one line each. */
function recorder() {
  const told: string[] = [];
  const words: string[] = [];
  const events: SupervisorEvents = {
    started: name => void told.push(`${name} started`),
    done: name => void told.push(`${name} done`),
    died: (name, how) => void told.push(`${name} died: ${how}`),
    recovered: name => void told.push(`${name} recovered`),
    gaveUp(name, how, lastLines) {
      told.push(`${name} given up: ${how}`);
      words.push(...lastLines);
    },
  };
  return { told, words, events };
}

describe('supervisor', () => {
  let folder: string;
  let supervisor: Supervisor | undefined;
  const eventsFile = () => join(folder, 'events');
  const happened = async () => (await readFile(eventsFile(), 'utf8').catch(() => '')).trim().split('\n');
  const service = async (standIn: Partial<StandIn> & { name: string }): Promise<ServiceStep> =>
    standInService({ events: eventsFile(), cwd: folder, port: await freePort('127.0.0.1'), ...standIn });
  const supervise = (steps: readonly Step[], events = recorder().events, policy = quickPolicy) => {
    const stateFile = join(folder, 'state.json');
    supervisor = new Supervisor({
      steps,
      logs: folder,
      stateFile,
      portOffset: 0,
      clock: systemClock,
      policy,
      events,
    });
    return supervisor;
  };
  const state = async (name: string) =>
    (await readRunState(join(folder, 'state.json')))?.services.find(service => service.name === name);

  const processOf = (name: string) =>
    eventually(`process of ${name}`, async () => (await state(name))?.process ?? undefined);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark supervisor-')); // with a space, as people's folders have
  });
  afterEach(async () => {
    await supervisor?.stop(AbortSignal.abort());
    await rm(folder, { recursive: true, force: true });
  });

  test('starts each step once what it needs is done, and stops in the reverse order', async () => {
    const { told, events } = recorder();
    const schema = { kind: 'task', name: 'schema', needs: ['database'], run: async () => 'done' } as const;
    await supervise(
      [
        await service({ name: 'reader', needs: ['writer'] }),
        await service({ name: 'writer', needs: ['schema'] }),
        schema,
        await service({ name: 'database', env: { DRAIN_MS: '30' } }),
      ],
      events,
    ).start();
    assert.deepEqual(
      told.filter(line => line.endsWith('done')),
      ['database done', 'schema done', 'writer done', 'reader done'],
    );
    await supervisor?.stop();
    // The task between the database and its writer is nothing to stop, but it still says who needs whom.
    assert.deepEqual(
      (await happened()).filter(line => !line.endsWith('begins')),
      ['reader stops', 'reader ended', 'writer stops', 'writer ended', 'database stops', 'database ended'],
    );
  });

  test('starts at the same time what does not need each other', async () => {
    const both = deferred();
    const begun: string[] = [];
    const meet = (name: string): Step => ({
      kind: 'task',
      name,
      needs: [],
      async run() {
        begun.push(name);
        if (begun.length === 2) both.resolve();
        await both.promise;
        return '';
      },
    });
    await supervise([meet('left'), meet('right')]).start();
    assert.deepEqual(begun.toSorted(), ['left', 'right']);
  });

  test('is not up before the last service says that it is ready', async () => {
    const readyWhen = join(folder, 'ready');
    const { told, events } = recorder();
    const starting = supervise(
      [await service({ name: 'slow', env: { READY_WHEN: readyWhen } })],
      events,
    ).start();
    await eventually('slow begins', async () => (await happened()).includes('slow begins'));
    assert.deepEqual(told, ['slow started']);
    assert.equal((await state('slow'))?.state, 'starting');
    await writeFile(readyWhen, '');
    await starting;
    await eventually('state written', async () => (await state('slow'))?.state === 'ready');
  });

  test('starts a service that died again, and says so', async () => {
    const { told, events } = recorder();
    await supervise([await service({ name: 'victim' })], events).start();
    const first = (await processOf('victim')).pid;
    process.kill(first, 'SIGKILL');
    await eventually('recovery', () => told.includes('victim recovered'));
    assert.ok(told.includes('victim died: was ended by SIGKILL'));
    const now = await eventually('new process written', async () => {
      const record = await state('victim');
      return record?.state === 'ready' && record;
    });
    assert.equal(now.restarts, 1);
    assert.notEqual(now.process?.pid, first);
  });

  test('gives up a service that keeps dying, with its last lines, the unfinished one included', async () => {
    const { told, words, events } = recorder();
    const dieWhile = join(folder, 'broken');
    await writeFile(dieWhile, '');
    const starting = supervise(
      [await service({ name: 'hopeless', env: { DIE_WHILE: dieWhile } })],
      events,
    ).start();
    await assert.rejects(starting, {
      code: 'SERVICE_GIVEN_UP',
      message: /hopeless keeps dying .* exit code 7/,
    });
    assert.equal((await happened()).length, quickPolicy.deathsMax);
    assert.equal(told.filter(line => line.startsWith('hopeless died')).length, quickPolicy.deathsMax - 1);
    assert.deepEqual(words.slice(-2), ['hopeless cannot go on', 'these are its last words']);
    await eventually('state written', async () => (await state('hopeless'))?.state === 'failed');
  });

  test('gives up while running too, and leaves the other services alone', async () => {
    const { told, events } = recorder();
    const dieWhile = join(folder, 'broken');
    await supervise(
      [await service({ name: 'hopeless', env: { DIE_WHILE: dieWhile } }), await service({ name: 'sound' })],
      events,
    ).start();
    await writeFile(dieWhile, '');
    const { pid } = await processOf('hopeless');
    process.kill(pid, 'SIGKILL');
    await eventually('giving up', () => told.some(line => line.startsWith('hopeless given up')));
    const sound = (await state('sound'))?.process;
    assert.ok(sound && (await isRunning(sound)));
  });

  test('kills a service that does not heed its signal once the time is over', async () => {
    await supervise([await service({ name: 'deaf', env: { IGNORE_SIGTERM: '1' } })]).start();
    const process = await processOf('deaf');
    const impatience = new AbortController();
    const stopped = supervisor?.stop(impatience.signal);
    await eventually('signal', async () => (await happened()).includes('deaf ignores SIGTERM'));
    impatience.abort();
    await stopped;
    assert.equal(await isRunning(process), false);
  });

  test('the first to stop may use most of the time, and all of it is bounded', async () => {
    const deadlines: number[] = [];
    const clock = {
      ...systemClock,
      monotonic: () => 0,
      sleep(ms: number, signal?: AbortSignal) {
        if (ms > 5000) deadlines.push(ms);
        return systemClock.sleep(ms > 5000 ? 10 : ms, signal);
      },
    };
    const steps = [
      await service({ name: 'database', env: { IGNORE_SIGTERM: '1' } }),
      await service({ name: 'writer', needs: ['database'], env: { IGNORE_SIGTERM: '1' } }),
    ];
    const { events } = recorder();
    const options = { steps, logs: folder, stateFile: join(folder, 'state.json'), portOffset: 0, events };
    supervisor = new Supervisor({ ...options, clock, policy: quickPolicy });
    await supervisor.start();
    await supervisor.stop();
    assert.deepEqual(deadlines.slice(0, 2), [9000, 9500]);
  });

  test('a stop during the start ends what runs and starts nothing more', async () => {
    const never = join(folder, 'never');
    const steps = [
      await service({ name: 'slow', env: { READY_WHEN: never } }),
      await service({ name: 'later', needs: ['slow'] }),
    ];
    const starting = supervise(steps).start();
    const failed = assert.rejects(starting);
    await eventually('slow begins', async () => (await happened()).includes('slow begins'));
    await supervisor?.stop();
    await failed;
    assert.equal((await happened()).includes('later begins'), false);
    assert.equal((await state('slow'))?.state, 'stopped');
  });

  test('a stop while a service is being prepared waits for that and starts nothing', async () => {
    const preparing = deferred();
    const goOn = deferred();
    const sound = await service({ name: 'slow' });
    const slow: ServiceStep = {
      ...sound,
      async prepare() {
        preparing.resolve();
        await goOn.promise;
        return sound.prepare();
      },
    };
    const failed = assert.rejects(supervise([slow]).start());
    await preparing.promise;
    const stopped = supervisor?.stop();
    goOn.resolve();
    await stopped;
    await failed;
    assert.deepEqual(await happened(), ['']);
  });

  test('a stop aborts a task that is under way and waits for its end', async () => {
    const begun = deferred();
    const ended: string[] = [];
    const task: Step = {
      kind: 'task',
      name: 'long',
      needs: [],
      run: signal =>
        new Promise((_, reject) => {
          begun.resolve();
          signal.addEventListener('abort', () => {
            ended.push('task');
            reject(new Error('aborted'));
          });
        }),
    };
    const failed = assert.rejects(supervise([task]).start());
    await begun.promise;
    await supervisor?.stop();
    assert.deepEqual(ended, ['task']);
    await failed;
  });

  test('a stop while a dead service waits for its restart does not wait', async () => {
    const { told, events } = recorder();
    const patient = { ...quickPolicy, backoff: { baseMs: 60_000, capMs: 60_000 } };
    await supervise([await service({ name: 'victim' })], events, patient).start();
    const { pid } = await processOf('victim');
    process.kill(pid, 'SIGKILL');
    await eventually('death', () => told.some(line => line.startsWith('victim died')));
    await supervisor?.stop();
    assert.deepEqual(
      (await happened()).filter(line => line === 'victim begins'),
      ['victim begins'],
    );
  });

  test('a death in the middle of the stop is not a reason to start again', async () => {
    const { told, events } = recorder();
    await supervise([await service({ name: 'slow', env: { DRAIN_MS: '60000' } })], events).start();
    const { pid } = await processOf('slow');
    const stopped = supervisor?.stop();
    await eventually('stop begins', async () => (await happened()).includes('slow stops'));
    process.kill(pid, 'SIGKILL');
    await stopped;
    assert.deepEqual(told, ['slow started', 'slow done']);
  });

  test('what a service started ends with it, and does not hold up its restart', async () => {
    const { told, events } = recorder();
    const pidFile = join(folder, 'child.pid');
    const parent = await service({
      name: 'parent',
      script: fixture('with-child.ts'),
      env: { PID_FILE: pidFile },
    });
    const started = async () => void (await readFile(pidFile, 'utf8'));
    await supervise([{ ...parent, probe: started }], events).start();
    const child = await eventually('child', async () => identify(Number(await readFile(pidFile, 'utf8'))));
    const { pid } = await processOf('parent');
    process.kill(pid, 'SIGKILL');
    await eventually('recovery', () => told.includes('parent recovered'));
    await eventually('end of the child', async () => !(await isRunning(child)));
  });

  test('a program that is not there is told as such', async () => {
    const absent: ServiceStep = {
      ...(await service({ name: 'absent' })),
      prepare: () =>
        Promise.resolve({ command: join(folder, 'no-such-program'), args: [], cwd: folder, env: {} }),
    };
    await assert.rejects(supervise([absent]).start(), {
      message: /absent keeps dying .*could not be started.*ENOENT/,
    });
  });

  test('a service that is never ready fails the start after its time, with what it said', async () => {
    const steps = [await service({ name: 'slow', env: { READY_WHEN: join(folder, 'never') } })];
    // Long enough for a busy machine to start a process that says hello and is asked once.
    const hasty = { ...quickPolicy, readyWithinMs: 3000 };
    await assert.rejects(supervise(steps, recorder().events, hasty).start(), {
      code: 'SERVICE_NOT_READY',
      message: /slow was not ready .*not ready: not yet.*slow says hello/,
    });
  });

  test('a state that cannot be written does not disturb the services', async () => {
    const steps = [await service({ name: 'sound' })];
    const options = { steps, logs: folder, portOffset: 0, clock: systemClock, events: recorder().events };
    supervisor = new Supervisor({ ...options, stateFile: join(folder, 'no', 'such', 'folder') });
    await supervisor.start();
    await supervisor.stop();
    assert.ok((await happened()).includes('sound ended'));
  });
});
