/** A promise with its handles outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  return { promise, resolve, reject };
}

/**
 * A place in the code that a test can wait for instead of sleeping. In production nobody listens and `emit` costs
 * one comparison.
 *
 * Example: the committer emits `checkpointStored`; a test awaits `checkpointStored.next(p => p.offset >= 5n)`.
 */
export class TestSignal<T> {
  readonly #waiters = new Set<{ matches: (value: T) => boolean; resolve: (value: T) => void }>();

  emit(value: T): void {
    if (this.#waiters.size === 0) return;
    for (const waiter of this.#waiters) {
      if (!waiter.matches(value)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(value);
    }
  }

  /** The next emitted value that matches. Values emitted before the call are not seen. */
  next(matches: (value: T) => boolean = () => true): Promise<T> {
    return new Promise(resolve => this.#waiters.add({ matches, resolve }));
  }
}
