import { seededRandom } from '@tidemark/kernel';

/** Decisions of one simulation, all from one seed. */
export class Chance {
  readonly random: () => number;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** A whole number from `low` to `high`, both possible. */
  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  /** True with this probability. */
  hits(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(options: readonly T[]): T {
    const picked = options[Math.floor(this.random() * options.length)];
    if (picked === undefined) throw new RangeError('nothing to pick from');
    return picked;
  }
}
