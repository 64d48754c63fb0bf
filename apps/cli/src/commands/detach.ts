import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeError, exitCodes, TidemarkError } from '@tidemark/kernel';
import type { CommandContext, CommandInput, ParentMessage } from '../command.ts';
import { createDataFolder, dataFolder, defaultDataFolder } from '../data-folder.ts';
import { outputClosed } from '../interruption.ts';

/** Hands the source on: unlike an argument, the environment is not shown to other users. */
export const sourceVariable = 'CAPTURE_SOURCE_URL';

const entry = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Starts `up` as a process of its own, shows what it says, and returns once everything is ready. */
export async function detach(input: CommandInput, context: CommandContext): Promise<number> {
  const folder = dataFolder(input.text('data') ?? defaultDataFolder);
  await createDataFolder(folder);
  const child = launch(
    ['up', `--data=${folder.root}`, ...passedOn(input)],
    join(folder.logs, 'supervisor.log'),
    context.env,
    input.text('source'),
  );
  for (const request of [context.interrupted, context.impatient]) {
    request.addEventListener('abort', () => passOn(request, child), { once: true });
  }
  return untilUp(child, context);
}

/** A stack that is to run by itself does not end because nobody reads how it comes up, as with `up -d | head -1`. */
function passOn(request: AbortSignal, child: ChildProcess): void {
  const reason: unknown = request.reason;
  if (reason instanceof Error && reason.message === outputClosed) return;
  child.kill('SIGTERM');
}

function launch(
  args: readonly string[],
  logFile: string,
  env: CommandContext['env'],
  source: string | undefined,
): ChildProcess {
  const log = openLog(logFile);
  try {
    // A session of its own: the terminal that closes does not take it along.
    return spawn(process.execPath, [entry, ...args], {
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...env, ...(source === undefined ? {} : { [sourceVariable]: source }) },
    });
  } finally {
    closeSync(log);
  }
}

function openLog(file: string): number {
  try {
    return openSync(file, 'a');
  } catch (error) {
    throw new TidemarkError('LOG_UNWRITABLE', `${file} cannot be written`, {
      cause: error,
      hint: 'Give this user the right to write there, or move what is in the way.',
    });
  }
}

function untilUp(child: ChildProcess, { terminal }: CommandContext): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: ParentMessage) => {
      if (message.kind === 'progress') return terminal.progress(message.text);
      if (message.kind === 'line') return terminal.print(message.text);
      if (message.kind === 'failed') return terminal.warn(message.text);
      terminal.print(`  It runs in the background; stop it with ${terminal.style.bold('tidemark down')}.`);
      child.removeAllListeners();
      child.disconnect();
      child.unref();
      return resolve(exitCodes.ok);
    });
    child.once('error', error =>
      reject(new TidemarkError('DETACH_FAILED', `the stack could not be started: ${describeError(error)}`)),
    );
    // Its last messages may still be on their way when the process has ended; after them the channel closes.
    const ended = new Promise<number>(done => child.once('exit', code => done(code ?? exitCodes.failed)));
    child.once('disconnect', () => void ended.then(resolve));
  });
}

function passedOn(input: CommandInput): string[] {
  return ['port-offset', 'only'].flatMap(option => {
    const value = input.text(option);
    return value === undefined ? [] : [`--${option}=${value}`];
  });
}
