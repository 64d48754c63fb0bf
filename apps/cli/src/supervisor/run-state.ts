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

/** What the last supervisor wrote; undefined when there is nothing, or nothing that can be understood. */
export async function readRunState(file: string): Promise<RunState | undefined> {
  try {
    const state: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isRunState(state) ? state : undefined;
  } catch (error) {
    // A file that a full disk cut short says as little as none.
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR' || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

function isRunState(value: unknown): value is RunState {
  if (typeof value !== 'object' || value === null) return false;
  const { supervisor, services, portOffset } = value as Partial<RunState>;
  return typeof supervisor?.pid === 'number' && Array.isArray(services) && Number.isInteger(portOffset);
}

/** Replaces the file as a whole, so that a reader never sees half of it. */
export async function writeRunState(file: string, state: RunState): Promise<void> {
  const partial = `${file}.partial`;
  await writeFile(partial, `${JSON.stringify(state, null, 2)}\n`);
  await rename(partial, file);
}
