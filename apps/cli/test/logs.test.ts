import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { eventually } from '@tidemark/testkit';
import * as fc from 'fast-check';
import { LogFollower } from '../src/log-reader/log-follower.ts';
import { tidemarkHere } from './in-process.ts';
import { startCommand } from './tidemark.ts';

describe('tidemark logs', () => {
  let data: string;
  let log: (name: string) => string;
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'tidemark logs-'));
    await mkdir(join(data, 'logs'));
    log = name => join(data, 'logs', `${name}.log`);
  });
  afterEach(() => rm(data, { recursive: true, force: true }));

  const shown = async (...args: string[]) => {
    const { stdout } = await tidemarkHere(['logs', ...args, '--data', data]);
    return stdout.split('\n').slice(0, -1);
  };
  const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}`);

  test('shows the last lines of one service, full ones only', async () => {
    await writeFile(log('api'), `${numbered(300).join('\n')}\nbeing writ`);
    assert.deepEqual(await shown('api'), numbered(300).slice(-200));
    assert.deepEqual(await shown('api', '-n', '2'), ['line 298', 'line 299']);
    assert.deepEqual(await shown('api', '--lines', '0'), []);
    assert.deepEqual(await shown('api', '--lines', '5000'), numbered(300));
  });

  test('shows those of all services, each labelled', async () => {
    await writeFile(log('api'), 'one\ntwo\n');
    await writeFile(log('broker'), 'three\n');
    await writeFile(`${log('broker')}.1`, 'set aside\n');
    assert.deepEqual(await shown(), ['api        one', 'api        two', 'broker     three']);
  });

  test('reads long lines and large files from their end, whatever they are cut into', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 50 }).map(text => text.replaceAll(/[\n\r]/g, ' '));
    const long = fc.nat(3).map(times => 'ü'.repeat(times * 40_000));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(line, long), { maxLength: 30 }),
        fc.nat(10),
        async (lines, count) => {
          await writeFile(log('api'), lines.map(text => `${text}\n`).join(''));
          const { stdout } = await tidemarkHere(['logs', 'api', '-n', String(count), '--data', data]);
          assert.equal(
            stdout,
            lines
              .slice(Math.max(0, lines.length - count))
              .map(text => `${text}\n`)
              .join(''),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  test('says which logs there are when the wanted one is not', async () => {
    await writeFile(log('api'), '');
    const { code, stderr } = await tidemarkHere(['logs', '../api', '--data', data]);
    assert.equal(code, 2);
    assert.match(stderr, /\.\.\/api has no log\n {2}There are logs of api\./);
  });

  test('follows what is added, over a rotation, and services that come later, until it is interrupted', async () => {
    await writeFile(log('api'), 'before\n');
    const interruption = new AbortController();
    const lines: string[] = [];
    const following = tidemarkHere(['logs', '-f', '--data', data], {
      interrupted: interruption.signal,
      onLine: line => lines.push(line),
    });
    const says = (line: string) => eventually(line, () => lines.includes(line));
    await says('api        before');
    await appendFile(log('api'), 'unfin');
    await appendFile(log('api'), 'ished\nlast before the rotation\n');
    await rename(log('api'), `${log('api')}.1`);
    await writeFile(log('api'), 'first after it\n');
    await writeFile(log('late'), 'hello\n');
    await says('late       hello');
    await says('api        first after it');
    interruption.abort();
    assert.equal((await following).code, 0);
    assert.deepEqual(lines, [
      'api        before',
      'api        unfinished',
      'api        last before the rotation',
      'api        first after it',
      'late       hello',
    ]);
  });

  test('ends quietly when its reader has enough, as head has', async () => {
    await writeFile(log('api'), `${'x'.repeat(100)}\n`.repeat(20_000));
    const command = startCommand(['logs', 'api', '-f', '-n', '20000', '--data', data]);
    command.child.stdout.once('data', () => command.child.stdout.destroy());
    const { code, stderr } = await command.outcome;
    assert.deepEqual([code, stderr], [0, '']);
  });
});

describe('following a log', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-follow-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('loses no line and shows none twice, whenever it looks and whenever the file is set aside', async () => {
    const action = fc.oneof(
      { weight: 6, arbitrary: fc.string({ maxLength: 12 }).map(text => ({ append: text })) },
      { weight: 3, arbitrary: fc.constant('look' as const) },
      { weight: 1, arbitrary: fc.constant('set aside' as const) },
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async actions => {
        const path = join(folder, `${(run += 1)}.log`);
        await writeFile(path, '');
        const follower = new LogFollower(path);
        const seen: string[] = [];
        const look = async () => {
          for await (const lines of follower.added()) seen.push(...lines);
        };
        await look();
        let written = '';
        let setAside = false; // at most once between two looks: what is set aside twice has been renamed twice
        for (const step of actions) {
          if (step === 'look') {
            await look();
            setAside = false;
          } else if (step === 'set aside') {
            if (setAside) continue;
            setAside = true;
            if (!written.endsWith('\n')) await appendFile(path, '\n');
            if (!written.endsWith('\n')) written += '\n';
            await rename(path, `${path}.1`);
            await writeFile(path, '');
          } else {
            await appendFile(path, step.append);
            written += step.append;
          }
        }
        await look();
        await follower.close();
        assert.deepEqual(seen, written.split('\n').slice(0, -1));
      }),
      { numRuns: 60 },
    );
  });

  test('shows a line without end in pieces instead of keeping it', async () => {
    const path = join(folder, 'endless.log');
    await writeFile(path, 'x'.repeat(600 * 1024));
    const follower = new LogFollower(path);
    let length = 0;
    for await (const lines of follower.added()) length += lines.join('').length;
    await follower.close();
    assert.equal(length, 512 * 1024);
  });
});
