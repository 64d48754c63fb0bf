import { systemClock } from '@tidemark/kernel';
import type { Command, CommandContext, CommandInput } from '../command.ts';
import { dataOption } from '../command.ts';
import { createDataFolder, type DataFolder, dataFolder, defaultDataFolder } from '../data-folder.ts';
import { checkPortsFree } from '../stack/free-ports.ts';
import { stackSteps } from '../stack/services.ts';
import { welcome } from '../stack/welcome.ts';
import { endLeftovers } from '../supervisor/leftovers.ts';
import { readRunState } from '../supervisor/run-state.ts';
import { takeStackLock } from '../supervisor/stack-lock.ts';
import type { Step } from '../supervisor/step.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { Terminal } from '../terminal.ts';
import { detach } from './detach.ts';
import { narrate } from './narrate.ts';

/** Brings the stack up and keeps it running. */
export const up: Command = {
  name: 'up',
  summary: 'start everything and keep it running (Ctrl-C stops it)',
  options: {
    detach: { type: 'boolean', short: 'd', doc: 'return once everything is ready' },
    data: dataOption,
    'port-offset': { type: 'string', value: 'N', doc: 'add N to every port' },
    only: { type: 'string', value: 'a,b', doc: 'only these services and what they need' },
  },
  run: (input, context) => (input.flag('detach') ? detach(input, context) : runStack(input, context)),
};

async function runStack(input: CommandInput, context: CommandContext): Promise<number> {
  const folder = dataFolder(input.text('data') ?? defaultDataFolder);
  const portOffset = input.integer('port-offset', 0);
  const only = input
    .text('only')
    ?.split(',')
    .map(name => name.trim());
  const steps = stackSteps({ folder, portOffset, only, env: context.env });
  const terminal = throughParent(context);

  await createDataFolder(folder);
  const lock = await takeStackLock(folder.lock);
  try {
    await clearTheWay(folder, steps, terminal);
    const supervisor = new Supervisor({
      steps,
      logs: folder.logs,
      stateFile: folder.state,
      portOffset,
      clock: systemClock,
      events: narrate(terminal),
    });
    return await runUntilInterrupted(supervisor, context, terminal, () =>
      welcome({ steps, portOffset, env: context.env, folder }),
    );
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
  { interrupted, parent }: CommandContext,
  terminal: Terminal,
  greeting: () => readonly string[],
): Promise<number> {
  const interruption = new Promise<void>(resolve => {
    if (interrupted.aborted) resolve();
    interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    const begun = systemClock.monotonic();
    await Promise.race([supervisor.start(), interruption]);
    if (!interrupted.aborted) {
      terminal.print();
      terminal.print(
        terminal.style.bold(`  Ready in ${((systemClock.monotonic() - begun) / 1000).toFixed(1)} s.`),
      );
      for (const line of greeting()) terminal.print(line);
      parent?.send({ kind: 'up' });
      await interruption;
    }
    terminal.print();
    terminal.print('  stopping …');
    return 0;
  } finally {
    const begun = systemClock.monotonic();
    await supervisor.stop();
    terminal.print(`  stopped in ${((systemClock.monotonic() - begun) / 1000).toFixed(1)} s`);
  }
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
