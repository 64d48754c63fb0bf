import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { afterEach, describe, test } from 'node:test';
import { eventually } from '@tidemark/testkit';
import { fixture } from './stand-in-service.ts';
import { startCommand } from './tidemark.ts';

/** `script` of util-linux gives a program a terminal; the one of other systems takes other options. */
const noTerminal =
  (process.platform !== 'linux' || spawnSync('script', ['--version']).error !== undefined) &&
  'needs script of util-linux';

describe('in a terminal', { skip: noTerminal }, () => {
  let child: ChildProcess | undefined;
  afterEach(() => void child?.kill('SIGKILL'));

  const inTerminal = (env: Readonly<Record<string, string>> = {}) => {
    const command = `"${process.execPath}" "${fixture('ask.ts')}"`;
    const { NO_COLOR: _noColour, ...inherited } = process.env;
    const started = spawn('script', ['-qec', command, '/dev/null'], {
      env: { ...inherited, TERM: 'xterm', ...env },
    });
    child = started;
    let shown = '';
    // Written out, so that the expressions below can be read.
    started.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString().replaceAll('\u001b', '<esc>')));
    return {
      ended: new Promise<string>(resolve => started.once('close', () => resolve(shown))),
      answers: async (question: string, answer: string) => {
        await eventually(`${question} in ${JSON.stringify(shown)}`, () => shown.includes(question));
        started.stdin.write(answer);
      },
    };
  };

  test('a hidden answer is not shown, another one is, and progress leaves no trace', async () => {
    const { answers, ended } = inTerminal();
    await answers('Secret: ', 'hunter2\r');
    await answers('Word: ', 'swordfish\r');
    const shown = await ended;
    assert.doesNotMatch(shown, /hunter2/);
    assert.match(shown, /Word: .*swordfish/s);
    assert.match(shown, /7 characters, swordfish, <esc>\[1mdone<esc>\[0m/);
    assert.match(shown, /working<esc>\[0m.*\r<esc>\[2K/s, 'the line of progress is taken away');
  });

  test('Ctrl-C at a question is no answer, and ends the asking', async () => {
    const { answers, ended } = inTerminal();
    await answers('Secret: ', '\u0003');
    await answers('Word: ', '\u0003');
    assert.match(await ended, /no characters, no word/);
  });

  test('NO_COLOR takes the colours away', async () => {
    const { answers, ended } = inTerminal({ NO_COLOR: '1' });
    await answers('Secret: ', '\r');
    await answers('Word: ', '\r');
    assert.match(await ended, /0 characters, , done\r\n/);
  });

  test('a terminal that cannot move its cursor gets plain lines', async () => {
    const { answers, ended } = inTerminal({ TERM: 'dumb' });
    await answers('Secret: ', '\r');
    await answers('Word: ', '\r');
    assert.doesNotMatch(await ended, /working|<esc>\[[12]/);
  });
});

describe('in a pipe', () => {
  test('the first line is the answer, and nothing is asked or coloured', async () => {
    const { outcome } = startCommand([], { entry: fixture('ask.ts'), input: 'hunter2\n' });
    assert.equal((await outcome).stdout, '7 characters, no word, done\n');
  });

  test('the end of the input is no answer', async () => {
    const { outcome } = startCommand([], { entry: fixture('ask.ts'), input: '' });
    assert.equal((await outcome).stdout, 'no characters, no word, done\n');
  });
});
