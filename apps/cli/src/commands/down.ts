import { exitCodes, systemClock, TidemarkError } from '@tidemark/kernel';
import { type Command, dataOption } from '../command.ts';
import { endLeftovers } from '../supervisor/leftovers.ts';
import { isRunning, signalProcess } from '../supervisor/process-identity.ts';
import type { RunState } from '../supervisor/run-state.ts';
import { stopWithinMs } from '../supervisor/supervisor.ts';
import { viewStack } from './stack-command.ts';

/** Stops the stack, wherever it was started. */
export const down: Command = {
  name: 'down',
  summary: 'stop everything, in order, after draining',
  options: { data: dataOption },
  async run(input, { terminal }) {
    const { folder, state, running } = await viewStack(input);
    if (state && running) {
      terminal.progress('  stopping …');
      await stopSupervisor(state);
      terminal.print('  stopped');
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

async function stopSupervisor({ supervisor }: RunState): Promise<void> {
  await signalProcess(supervisor, 'SIGTERM');
  const deadline = systemClock.monotonic() + stopWithinMs + 5000;
  while (await isRunning(supervisor)) {
    if (systemClock.monotonic() > deadline) {
      throw new TidemarkError(
        'STACK_WILL_NOT_STOP',
        `the supervisor (process ${supervisor.pid}) does not stop`,
        {
          hint: `End it with \`kill -9 ${supervisor.pid}\` and run \`tidemark down\` again.`,
        },
      );
    }
    await systemClock.sleep(25);
  }
}
