import { systemClock } from '@tidemark/kernel';

export interface EventuallyOptions {
  /** How long the condition may take, milliseconds. */
  readonly withinMs?: number;
  /** Pause between two looks, milliseconds. */
  readonly everyMs?: number;
}

/**
 * Repeats `look` until it neither throws nor returns undefined or false, and answers what it returned. For
 * conditions of other processes that cannot signal; inside one process await a signal instead.
 * @throws the last failure, or an Error naming the condition, once the time is over
 */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, undefined | false>> {
  const { withinMs = 15_000, everyMs = 25 } = options;
  const deadline = systemClock.monotonic() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const result = await look();
      if (result !== undefined && result !== false) return result as Exclude<T, undefined | false>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (systemClock.monotonic() > deadline) {
      throw new Error(`not within ${withinMs} ms: ${what}`, last === undefined ? {} : { cause: last });
    }
    await systemClock.sleep(everyMs);
  }
}
