import type { Journal, JournalEntry } from '../storage/journal.ts';

/** Ids are reserved in blocks: a crash skips the rest of a block instead of costing a sync for every producer. */
const BLOCK = 1000;

/** Hands out producer ids that were never used before. */
export class ProducerIds {
  readonly #journal: Pick<Journal, 'append'>;
  #next = 0;
  #reservedBelow = 0;
  #reserving: Promise<void> | undefined;

  constructor(journal: Pick<Journal, 'append'>) {
    this.#journal = journal;
  }

  async next(): Promise<number> {
    while (this.#next >= this.#reservedBelow) {
      this.#reserving ??= this.#reserve().finally(() => {
        this.#reserving = undefined;
      });
      await this.#reserving;
    }
    const id = this.#next;
    this.#next += 1;
    return id;
  }

  replay(entry: JournalEntry): boolean {
    if (entry.kind !== 'producer-ids') return false;
    this.#next = this.#reservedBelow = Math.max(this.#reservedBelow, entry['below'] as number);
    return true;
  }

  dump(): JournalEntry[] {
    return [{ kind: 'producer-ids', below: this.#reservedBelow }];
  }

  async #reserve(): Promise<void> {
    const below = this.#reservedBelow + BLOCK;
    await this.#journal.append([{ kind: 'producer-ids', below }]);
    this.#reservedBelow = below;
  }
}
