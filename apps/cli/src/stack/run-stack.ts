import { exitCodes, systemClock } from '@tidemark/kernel';
import type { CommandContext } from '../command.ts';
import { createDataFolder, type DataFolder } from '../data-folder.ts';
import { endLeftovers } from '../supervisor/leftovers.ts';
import { readRunState } from '../supervisor/run-state.ts';
import { takeStackLock } from '../supervisor/stack-lock.ts';
import type { Step } from '../supervisor/step.ts';
import type { RestartPolicy } from '../supervisor/supervised-process.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { Terminal } from '../terminal.ts';
import { checkPortsFree } from './free-ports.ts';
import { narrate } from './narrate.ts';

export interface Stack {
  readonly folder: DataFolder;
  readonly portOffset: number;
  readonly steps: readonly Step[];
  readonly policy?: RestartPolicy;
}

/**
 * Brings a stack up, keeps it running until the command is interrupted, and takes it down; answers with the exit code.
 * @param greeting what is printed once everything is ready
 */
export async function runStack(
  stack: Stack,
  context: CommandContext,
  greeting: () => readonly string[],
): Promise<number> {
  const { folder, steps } = stack;
  const terminal = throughParent(context);
  await createDataFolder(folder);
  const lock = await takeStackLock(folder.lock);
  try {
    await clearTheWay(folder, steps, terminal);
    if (context.interrupted.aborted) return exitCodes.ok;
    const supervisor = new Supervisor({
      ...stack,
      logs: folder.logs,
      stateFile: folder.state,
      clock: systemClock,
      events: narrate(terminal),
    });
    return await runUntilInterrupted(supervisor, context, terminal, greeting);
  } finally {
    await lock.release();
  }
}

/** Ends what a killed supervisor left behind, then makes sure that nobody else holds our ports. */
async function clearTheWay(folder: DataFolder, steps: readonly Step[], terminal: Terminal): Promise<void> {
  const leftovers = await endLeftovers(await readRunState(folder.state));
  if (leftovers.length > 0) {
    terminal.print(`  ended what an earlier run had left behind: ${leftovers.join(', ')}`);
  }
  await checkPortsFree(steps);
}

async function runUntilInterrupted(
  supervisor: Supervisor,
  { interrupted, impatient, parent }: CommandContext,
  terminal: Terminal,
  greeting: () => readonly string[],
): Promise<number> {
  const interruption = new Promise<void>(resolve => {
    interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    const took = stopwatch();
    await Promise.race([supervisor.start(), interruption]);
    if (!interrupted.aborted) {
      terminal.print();
      terminal.print(terminal.style.bold(`  Ready in ${took()} s.`));
      for (const line of greeting()) terminal.print(line);
      parent?.send({ kind: 'up' });
      await interruption;
    }
    terminal.print();
    terminal.print('  stopping …');
    return exitCodes.ok;
  } finally {
    const took = stopwatch();
    await supervisor.stop(impatient);
    terminal.print(`  stopped in ${took()} s`);
  }
}

function stopwatch(): () => string {
  const begun = systemClock.monotonic();
  return () => ((systemClock.monotonic() - begun) / 1000).toFixed(1);
}

/** A detached stack has no terminal of its own: what it says goes to its log and to the command that waits for it. */
function throughParent({ terminal, parent }: CommandContext): Terminal {
  if (!parent) return terminal;
  return {
    ...terminal,
    print(line = '') {
      terminal.print(line);
      parent.send({ kind: 'line', text: line });
    },
    progress: line => parent.send({ kind: 'progress', text: line }),
    warn(line) {
      terminal.warn(line);
      parent.send({ kind: 'line', text: line });
    },
  };
}
