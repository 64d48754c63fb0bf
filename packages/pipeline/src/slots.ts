/** A counting semaphore whose size may change while it is used; waiters are served in the order in which they came. */
export class Slots {
  #size: number;
  #taken = 0;
  #waiters: (() => void)[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a slot and returns what gives it back. Rejects with the signal's reason when it aborts first. */
  async acquire(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#taken >= this.#size || this.#waiters.length > 0) await this.#wait(signal);
    else this.#taken += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#taken -= 1;
      this.#serve();
    };
  }

  /** Fewer slots take effect as running holders release; more take effect at once. */
  resize(size: number): void {
    this.#size = size;
    this.#serve();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const serve = () => {
        signal.removeEventListener('abort', giveUp);
        this.#taken += 1;
        resolve();
      };
      const giveUp = () => {
        this.#waiters = this.#waiters.filter(waiter => waiter !== serve);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiters.push(serve);
    });
  }

  #serve(): void {
    while (this.#taken < this.#size) {
      const next = this.#waiters.shift();
      if (!next) return;
      next();
    }
  }
}
