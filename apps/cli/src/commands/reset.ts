import { rm, rmdir, stat } from 'node:fs/promises';
import { removeDataDir } from '@tidemark/embedded-postgres';
import { exitCodes, TidemarkError } from '@tidemark/kernel';
import { type Command, dataOption } from '../command.ts';
import type { DataFolder } from '../data-folder.ts';
import { endLeftovers } from '../supervisor/leftovers.ts';
import type { Terminal } from '../terminal.ts';
import { viewStack } from './stack-command.ts';

/** Deletes the data of a stack. */
export const reset: Command = {
  name: 'reset',
  summary: 'delete all data of the stack (asks first)',
  options: { data: dataOption, yes: { type: 'boolean', doc: 'do not ask' } },
  async run(input, { terminal }) {
    const { folder, state, running } = await viewStack(input);
    if (running) {
      throw new TidemarkError('STACK_RUNNING', `a stack is running on ${folder.root}`, {
        hint: 'Stop it with `tidemark down` first.',
      });
    }
    if (!(await isDataFolder(folder))) {
      terminal.print(`  there is no data in ${folder.root}`);
      return exitCodes.ok;
    }
    if (!input.flag('yes') && !(await confirmed(folder, terminal))) {
      terminal.print('  nothing was deleted');
      return exitCodes.failed;
    }
    await endLeftovers(state);
    await removeData(folder);
    terminal.print(`  deleted ${folder.root}`);
    return exitCodes.ok;
  },
};

/** Only a folder that a stack made is ever deleted, so that a mistyped --data costs nothing. */
async function isDataFolder(folder: DataFolder): Promise<boolean> {
  const found = await Promise.all(
    [folder.logs, `${folder.root}/run`].map(path => stat(path).catch(() => undefined)),
  );
  return found.every(entry => entry?.isDirectory() === true);
}

async function confirmed(folder: DataFolder, terminal: Terminal): Promise<boolean> {
  const answer = await terminal.ask(
    `  Delete the database, all topics and all logs in ${folder.root}? Type yes: `,
  );
  return answer?.trim().toLowerCase() === 'yes';
}

async function removeData(folder: DataFolder): Promise<void> {
  await removeDataDir(folder.postgres);
  for (const path of [folder.broker, folder.logs, folder.codeCache, `${folder.root}/run`]) {
    await rm(path, { recursive: true, force: true });
  }
  // The folder itself goes only when nothing of the user's lies in it.
  await rmdir(folder.root).catch(() => {});
}
