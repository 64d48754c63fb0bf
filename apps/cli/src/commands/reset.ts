import { rm, rmdir } from 'node:fs/promises';
import { removeDataDir } from '@tidemark/embedded-postgres';
import { exitCodes } from '@tidemark/kernel';
import { type Command, dataOption } from '../command.ts';
import { createDataFolder, type DataFolder, isDataFolder } from '../data-folder.ts';
import { endLeftovers } from '../supervisor/leftovers.ts';
import { takeStackLock } from '../supervisor/stack-lock.ts';
import type { Terminal } from '../terminal.ts';
import { viewStack } from './stack-command.ts';

/** Deletes the data of a stack. */
export const reset: Command = {
  name: 'reset',
  summary: 'delete all data of the stack (asks first)',
  options: { data: dataOption, yes: { type: 'boolean', doc: 'do not ask' } },
  async run(input, { terminal }) {
    const { folder, state } = await viewStack(input);
    if (!(await isDataFolder(folder))) {
      terminal.print(`  there is no data of a stack in ${folder.root}`);
      return exitCodes.ok;
    }
    // Nobody may start a stack on what is being deleted, and a running one keeps its data.
    await createDataFolder(folder);
    const lock = await takeStackLock(folder.lock);
    try {
      if (!input.flag('yes') && !(await confirmed(folder, terminal))) {
        terminal.print('  nothing was deleted');
        return exitCodes.failed;
      }
      await endLeftovers(state);
      await removeData(folder);
    } finally {
      await lock.release();
    }
    terminal.print(`  deleted ${folder.root}`);
    return exitCodes.ok;
  },
};

async function confirmed(folder: DataFolder, terminal: Terminal): Promise<boolean> {
  const answer = await terminal.ask(
    `  Delete the database, all topics and all logs in ${folder.root}? Type yes: `,
  );
  return answer?.trim().toLowerCase() === 'yes';
}

/** The marker goes last but for the lock: a reset that was killed half way can be run again. */
async function removeData(folder: DataFolder): Promise<void> {
  await removeDataDir(folder.postgres);
  for (const path of [folder.broker, folder.logs, folder.codeCache, folder.marker, folder.run]) {
    await rm(path, { recursive: true, force: true });
  }
  // The folder itself goes only when nothing of the user's lies in it.
  await rmdir(folder.root).catch(() => {});
}
