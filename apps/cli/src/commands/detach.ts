import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodes } from '@tidemark/kernel';
import type { CommandContext, CommandInput, ParentMessage } from '../command.ts';
import { createDataFolder, dataFolder, defaultDataFolder } from '../data-folder.ts';

const entry = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Starts `up` as a process of its own, shows what it says, and returns once everything is ready. */
export async function detach(
  input: CommandInput,
  { terminal, env, interrupted }: CommandContext,
): Promise<number> {
  const folder = dataFolder(input.text('data') ?? defaultDataFolder);
  await createDataFolder(folder);
  const log = openSync(join(folder.logs, 'supervisor.log'), 'a');
  const child = spawn(process.execPath, [entry, 'up', `--data=${folder.root}`, ...passedOn(input)], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...env },
  });
  closeSync(log);
  interrupted.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  return new Promise(resolve => {
    child.on('message', (message: ParentMessage) => {
      if (message.kind === 'progress') return terminal.progress(message.text);
      if (message.kind === 'line') return terminal.print(message.text);
      if (message.kind === 'failed') return terminal.warn(message.text);
      terminal.print(`  It runs in the background; stop it with ${terminal.style.bold('tidemark down')}.`);
      child.disconnect();
      child.unref();
      return resolve(exitCodes.ok);
    });
    child.once('exit', code => resolve(code ?? exitCodes.failed));
  });
}

function passedOn(input: CommandInput): string[] {
  return ['port-offset', 'only'].flatMap(option => {
    const value = input.text(option);
    return value === undefined ? [] : [`--${option}=${value}`];
  });
}
