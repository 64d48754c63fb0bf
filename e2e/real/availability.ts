import { describeError } from '@tidemark/kernel';
import { findProgram } from '../src/programs.ts';

/** Something that comes from outside the repository: there, or the reason why its tests are skipped. */
export type Available<T> =
  | { readonly skip: false; readonly value: T }
  | { readonly skip: string; readonly value: undefined };

const asked = new Map<string, Promise<Available<unknown>>>();

/**
 * Gets what a test needs from outside, once in a process. When it cannot be had, the reason is said aloud on stderr
 * and handed to the test runner: what was not tried never looks like what passed.
 * @param what names the thing for the reader, and tells it from others
 * @param programs that the machine must have to get or to use it
 */
export function available<T>(
  what: string,
  programs: readonly string[],
  get: () => Promise<T>,
): Promise<Available<T>> {
  const answer = asked.get(what) ?? tryToGet(what, programs, get);
  asked.set(what, answer);
  return answer as Promise<Available<T>>;
}

async function tryToGet<T>(
  what: string,
  programs: readonly string[],
  get: () => Promise<T>,
): Promise<Available<T>> {
  const missing = programs.filter(program => findProgram(program) === undefined);
  if (missing.length > 0) return skipped(`${what}: ${missing.join(' and ')} not installed on this machine`);
  try {
    return { skip: false, value: await get() };
  } catch (error) {
    return skipped(`${what} could not be fetched: ${describeError(error)}`);
  }
}

function skipped(reason: string): Available<never> {
  process.stderr.write(`\n  !! SKIPPED: ${reason}\n\n`);
  return { skip: reason, value: undefined };
}

/** The value, inside tests that are skipped when it is not there. */
export function need<T>(thing: Available<T>): T {
  if (thing.skip !== false)
    throw new Error(`a test that needs what is not there was not skipped: ${thing.skip}`);
  return thing.value;
}
