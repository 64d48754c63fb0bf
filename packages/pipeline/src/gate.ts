import { type Deferred, deferred } from '@tidemark/kernel';

/** Lets everybody through while it is open and nobody while it is shut. */
export class Gate {
  #shut: Deferred<void> | undefined;

  get isShut(): boolean {
    return this.#shut !== undefined;
  }

  shut(): void {
    this.#shut ??= deferred();
  }

  open(): void {
    this.#shut?.resolve();
    this.#shut = undefined;
  }

  /** Resolves while the gate is open; rejects with the signal's reason when it aborts first. */
  async pass(signal: AbortSignal): Promise<void> {
    while (this.#shut) await untilAborted(this.#shut.promise, signal);
    signal.throwIfAborted();
  }
}

/** The promise, or a rejection with the signal's reason as soon as it aborts. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = deferred<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
