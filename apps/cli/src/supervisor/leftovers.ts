import { systemClock } from '@tidemark/kernel';
import { isRunning, type ProcessIdentity, signalProcess } from './process-identity.ts';
import type { RunState } from './run-state.ts';

/** How long a leftover may take to end by itself before it is killed, milliseconds. */
const graceMs = 5000;

/**
 * Ends the processes that a killed supervisor left behind: politely first, then for good. They are found by what the
 * supervisor wrote down, and only those that still are the same process are touched.
 * @returns the names of the services that were still there
 */
export async function endLeftovers(state: RunState | undefined): Promise<readonly string[]> {
  const recorded = (state?.services ?? []).flatMap(({ name, process }) =>
    process ? [{ name, process }] : [],
  );
  const found: { name: string; process: ProcessIdentity }[] = [];
  for (const entry of recorded) {
    // PostgreSQL takes SIGINT as a fast shutdown; SIGTERM would wait for its clients.
    if (await signalProcess(entry.process, entry.name === 'postgres' ? 'SIGINT' : 'SIGTERM'))
      found.push(entry);
  }
  const deadline = systemClock.monotonic() + graceMs;
  for (const { process } of found) await endedBefore(process, deadline);
  return found.map(({ name }) => name);
}

async function endedBefore(process: ProcessIdentity, deadline: number): Promise<void> {
  while (await isRunning(process)) {
    if (systemClock.monotonic() > deadline) await signalProcess(process, 'SIGKILL');
    await systemClock.sleep(20);
  }
}
