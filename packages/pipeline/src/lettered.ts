import type { DeadLetter, DeadLetterPort } from './dead-letter.ts';
import { partitionKey, type TopicPartition } from './record.ts';

/**
 * Remembers which dead letters are stored although no position has passed them yet, so that a batch that is cut or
 * repeated stores each once. After a crash one may be stored again; it has the same id then.
 */
export class Lettered {
  readonly #offsets = new Map<string, Set<bigint>>();

  /** Passes on only the letters that are not stored yet. */
  guard(port: DeadLetterPort): DeadLetterPort {
    return async (letters, signal) => {
      const missing = letters.filter(({ record }) => !this.#of(record).has(record.offset));
      if (missing.length > 0) await port(missing, signal);
      this.#add(missing);
    };
  }

  /** A position has passed these; they are not asked for again. */
  passed(partition: TopicPartition, offsets: Iterable<bigint>): void {
    const known = this.#of(partition);
    for (const offset of offsets) known.delete(offset);
  }

  forget(partition: TopicPartition): void {
    this.#offsets.delete(partitionKey(partition));
  }

  #add(letters: readonly DeadLetter[]): void {
    for (const { record } of letters) this.#of(record).add(record.offset);
  }

  #of(partition: TopicPartition): Set<bigint> {
    const key = partitionKey(partition);
    const known = this.#offsets.get(key) ?? new Set<bigint>();
    this.#offsets.set(key, known);
    return known;
  }
}
