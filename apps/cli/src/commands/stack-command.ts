import { TidemarkError } from '@tidemark/kernel';
import type { CommandInput } from '../command.ts';
import { type DataFolder, dataFolder, defaultDataFolder } from '../data-folder.ts';
import type { ProcessIdentity } from '../supervisor/process-identity.ts';
import { type RunState, readRunState } from '../supervisor/run-state.ts';
import { stackHolder } from '../supervisor/stack-lock.ts';

/** The stack that a command is about, as far as it can be told from outside. */
export interface StackView {
  readonly folder: DataFolder;
  /** What the supervisor wrote last; absent before the first start, and where a full disk kept it from writing. */
  readonly state: RunState | undefined;
  /** The supervisor, when it runs. */
  readonly supervisor: ProcessIdentity | undefined;
}

export async function viewStack(input: CommandInput): Promise<StackView> {
  const folder = dataFolder(input.text('data') ?? defaultDataFolder);
  const state = await readRunState(folder.state);
  return { folder, state, supervisor: await stackHolder(folder.lock) };
}

/** For commands that make no sense without a running stack. */
export function notRunning(folder: DataFolder): TidemarkError {
  return new TidemarkError('STACK_NOT_RUNNING', `no stack is running on ${folder.root}`, {
    hint: 'Start it with `tidemark up`, or name its folder with --data DIR.',
  });
}
