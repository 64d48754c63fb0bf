/** Limits of a {@link BoundedQueue}. A single item larger than `maxBytes` is still accepted when the queue is empty. */
export interface QueueBounds {
  readonly maxItems: number;
  readonly maxBytes: number;
}

/**
 * A first-in-first-out queue that is bounded by count and by bytes. `push` waits while the queue is full, which is
 * how back-pressure reaches the producer; iteration waits while it is empty and ends after `close`.
 * One consumer at a time.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #bounds: QueueBounds;
  readonly #sizeOf: (item: T) => number;
  #items: T[] = [];
  #head = 0;
  #bytes = 0;
  #closed = false;
  #failure: { readonly reason: unknown } | undefined;
  #spaceWaiters: (() => void)[] = [];
  #itemWaiter: (() => void) | undefined;

  constructor(bounds: QueueBounds, sizeOf: (item: T) => number) {
    this.#bounds = bounds;
    this.#sizeOf = sizeOf;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves once the item is queued. Rejects when the queue was failed; returns false when it is closed. */
  async push(item: T): Promise<boolean> {
    const size = this.#sizeOf(item);
    while (!this.#closed && this.length > 0 && !this.#hasRoomFor(size)) {
      await new Promise<void>(resolve => this.#spaceWaiters.push(resolve));
    }
    if (this.#failure) throw this.#failure.reason;
    if (this.#closed) return false;
    this.#items.push(item);
    this.#bytes += size;
    this.#wakeConsumer();
    return true;
  }

  /** No more items; what is queued is still delivered. */
  close(): void {
    this.#closed = true;
    this.#wakeConsumer();
    this.#wakeProducers();
  }

  /** Ends the queue with an error for both sides; queued items are dropped. */
  fail(reason: unknown): void {
    this.#failure = { reason };
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure.reason;
      if (this.length > 0) {
        yield this.#take();
      } else if (this.#closed) {
        return;
      } else {
        await new Promise<void>(resolve => {
          this.#itemWaiter = resolve;
        });
      }
    }
  }

  #hasRoomFor(size: number): boolean {
    return this.length < this.#bounds.maxItems && this.#bytes + size <= this.#bounds.maxBytes;
  }

  #take(): T {
    const item = this.#items[this.#head] as T;
    this.#head += 1;
    // Shifting an array is linear; moving a head index and compacting now and then is not.
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    this.#bytes -= this.#sizeOf(item);
    this.#wakeProducers();
    return item;
  }

  #wakeConsumer(): void {
    this.#itemWaiter?.();
    this.#itemWaiter = undefined;
  }

  #wakeProducers(): void {
    const waiters = this.#spaceWaiters;
    this.#spaceWaiters = [];
    for (const wake of waiters) wake();
  }
}
