import { readFile, rename, writeFile } from 'node:fs/promises';
import { errorCode } from '@tidemark/kernel';
import type { ProcessIdentity } from './process-identity.ts';

/** starting → ready; died → restarting → …; failed when given up; stopped after an orderly end. */
export type ServiceState =
  | 'waiting'
  | 'starting'
  | 'ready'
  | 'restarting'
  | 'failed'
  | 'stopping'
  | 'stopped';

export interface ServiceRecord {
  readonly name: string;
  readonly state: ServiceState;
  readonly process: ProcessIdentity | null;
  /** Where it listens, as people type it. */
  readonly address: string;
  /** How often it was started again after it had died. */
  readonly restarts: number;
  /** ISO 8601; start of the process that runs now. */
  readonly since: string | null;
  /** Why it died last, or why it was given up. */
  readonly trouble: string | null;
}

/** What the supervisor writes down about itself, for `status`, `down` and the next `up`. */
export interface RunState {
  readonly supervisor: ProcessIdentity;
  readonly startedAt: string;
  readonly portOffset: number;
  readonly services: readonly ServiceRecord[];
}

export async function readRunState(file: string): Promise<RunState | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as RunState;
  } catch (error) {
    // A file that a full disk cut short says as little as none.
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Replaces the file as a whole, so that a reader never sees half of it. */
export async function writeRunState(file: string, state: RunState): Promise<void> {
  const partial = `${file}.partial`;
  await writeFile(partial, `${JSON.stringify(state, null, 2)}\n`);
  await rename(partial, file);
}
