/** Limits of a {@link BoundedQueue}. A single item larger than `maxBytes` is still accepted when the queue is empty. */
export interface QueueBounds {
  readonly maxItems: number;
  readonly maxBytes: number;
}

interface Entry<T> {
  readonly item: T;
  readonly bytes: number;
}

interface Waiting<T> {
  readonly entry: Entry<T>;
  resolve(queued: boolean): void;
  reject(reason: unknown): void;
}

/**
 * A first-in-first-out queue that is bounded by count and by bytes. `push` waits while the queue is full, which is
 * how back-pressure reaches the producer; iteration waits while it is empty and ends after `close`. Items come out
 * in the order in which `push` was called, also when several calls wait at once. One consumer at a time.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #bounds: QueueBounds;
  readonly #sizeOf: (item: T) => number;
  readonly #entries = new Fifo<Entry<T>>();
  readonly #waiting = new Fifo<Waiting<T>>();
  #bytes = 0;
  #closed = false;
  #failure: { readonly reason: unknown } | undefined;
  #itemWaiter: (() => void) | undefined;

  constructor(bounds: QueueBounds, sizeOf: (item: T) => number) {
    this.#bounds = bounds;
    this.#sizeOf = sizeOf;
  }

  get length(): number {
    return this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves once the item is queued. Rejects when the queue was failed; resolves to false when it is closed. */
  async push(item: T): Promise<boolean> {
    if (this.#failure) throw this.#failure.reason;
    if (this.#closed) return false;
    const entry = { item, bytes: this.#sizeOf(item) };
    if (this.#waiting.length === 0 && this.#hasRoomFor(entry)) {
      this.#add(entry);
      return true;
    }
    return new Promise((resolve, reject) => this.#waiting.add({ entry, resolve, reject }));
  }

  /** No more items; what is queued is still delivered, and pushes that wait resolve to false. */
  close(): void {
    this.#closed = true;
    this.#wakeConsumer();
    for (let next = this.#waiting.take(); next; next = this.#waiting.take()) next.resolve(false);
  }

  /** Ends the queue with an error for both sides; queued items are dropped. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#entries.clear();
    this.#bytes = 0;
    for (let next = this.#waiting.take(); next; next = this.#waiting.take()) next.reject(reason);
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure.reason;
      const entry = this.#entries.take();
      if (entry) {
        this.#bytes -= entry.bytes;
        this.#admit();
        yield entry.item;
      } else if (this.#closed) {
        return;
      } else {
        await new Promise<void>(resolve => {
          this.#itemWaiter = resolve;
        });
      }
    }
  }

  #hasRoomFor({ bytes }: Entry<T>): boolean {
    if (this.length === 0) return true;
    return this.length < this.#bounds.maxItems && this.#bytes + bytes <= this.#bounds.maxBytes;
  }

  #add(entry: Entry<T>): void {
    this.#entries.add(entry);
    this.#bytes += entry.bytes;
    this.#wakeConsumer();
  }

  /** Lets those in that wait, in their order, for as long as there is room. */
  #admit(): void {
    for (let next = this.#waiting.first; next && this.#hasRoomFor(next.entry); next = this.#waiting.first) {
      this.#waiting.take();
      this.#add(next.entry);
      next.resolve(true);
    }
  }

  #wakeConsumer(): void {
    this.#itemWaiter?.();
    this.#itemWaiter = undefined;
  }
}

/** Shifting an array is linear; moving a head index and compacting now and then is not. */
class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined; // what was taken must not stay in memory until the next compaction
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
