import { systemClock, TidemarkError } from '@tidemark/kernel';
import { isRunning, killGroup, type ProcessIdentity, signalProcess } from './process-identity.ts';
import type { RunState } from './run-state.ts';

/** How long all leftovers together may take to end by themselves before they are killed, milliseconds. */
const graceMs = 8000;
/** How long the system may take to end a process that was killed, milliseconds. */
const killMs = 5000;

/**
 * Ends the processes that a killed supervisor left behind, the last started first: politely, then for good. They are
 * found by what the supervisor wrote down, and only those that still are the same process are touched.
 * @returns the names of the services that were still there
 * @throws TidemarkError PROCESS_FORBIDDEN, LEFTOVER_WILL_NOT_END
 */
export async function endLeftovers(
  state: RunState | undefined,
  patienceMs = graceMs,
): Promise<readonly string[]> {
  const deadline = systemClock.monotonic() + patienceMs;
  const found: string[] = [];
  for (const { name, process } of (state?.services ?? []).toReversed()) {
    // PostgreSQL takes SIGINT as a fast shutdown; SIGTERM would wait for its clients.
    if (!process || !(await signalProcess(process, name === 'postgres' ? 'SIGINT' : 'SIGTERM'))) continue;
    found.unshift(name);
    if (await endedBefore(process, deadline)) continue;
    await killGroup(process);
    if (!(await endedBefore(process, systemClock.monotonic() + killMs))) throw willNotEnd(name, process);
  }
  return found;
}

async function endedBefore(process: ProcessIdentity, deadline: number): Promise<boolean> {
  while (await isRunning(process)) {
    if (systemClock.monotonic() > deadline) return false;
    await systemClock.sleep(20);
  }
  return true;
}

function willNotEnd(name: string, { pid }: ProcessIdentity): TidemarkError {
  return new TidemarkError(
    'LEFTOVER_WILL_NOT_END',
    `${name} of an earlier run (process ${pid}) does not end`,
    {
      hint: 'The system holds it, often for a disk that does not answer; mend that, or restart the machine.',
      facts: { pid },
    },
  );
}
