import { exitCodes, systemClock, TidemarkError } from '@tidemark/kernel';
import { type Command, dataOption } from '../command.ts';
import { endLeftovers } from '../supervisor/leftovers.ts';
import { isRunning, type ProcessIdentity, signalProcess } from '../supervisor/process-identity.ts';
import { stopWithinMs } from '../supervisor/supervisor.ts';
import { viewStack } from './stack-command.ts';

/** Stops the stack, wherever it was started. */
export const down: Command = {
  name: 'down',
  summary: 'stop everything, in order, after draining',
  options: { data: dataOption },
  async run(input, { terminal, interrupted }) {
    const { folder, state, supervisor } = await viewStack(input);
    if (supervisor) {
      terminal.progress('  stopping …');
      await stopSupervisor(supervisor, interrupted);
      terminal.print(interrupted.aborted ? '  it stops in the background' : '  stopped');
      return exitCodes.ok;
    }
    const leftovers = await endLeftovers(state);
    terminal.print(
      leftovers.length > 0
        ? `  the supervisor was gone already; ended what it had left behind: ${leftovers.join(', ')}`
        : `  nothing is running on ${folder.root}`,
    );
    return exitCodes.ok;
  },
};

async function stopSupervisor(supervisor: ProcessIdentity, interrupted: AbortSignal): Promise<void> {
  await signalProcess(supervisor, 'SIGTERM');
  const deadline = systemClock.monotonic() + stopWithinMs + 5000;
  while (!interrupted.aborted && (await isRunning(supervisor))) {
    if (systemClock.monotonic() > deadline) throw willNotStop(supervisor);
    await systemClock.sleep(25, interrupted).catch(() => {});
  }
}

function willNotStop({ pid }: ProcessIdentity): TidemarkError {
  return new TidemarkError('STACK_WILL_NOT_STOP', `the supervisor (process ${pid}) does not stop`, {
    hint: `End it with \`kill -9 ${pid}\` and run \`tidemark down\` again.`,
    facts: { pid },
  });
}
