import type { Change } from '@tidemark/contracts';
import { seededRandom } from '@tidemark/kernel';
import { ddlChange, lifeOfUser42, placed, type RowChange, randomChange } from './sample-changes.ts';

/** The change store that the mock serves: searchable, growing, with followers. */
export class ChangeStore {
  readonly #random: () => number;
  readonly #changes: Change[] = [];
  readonly #followers = new Set<(change: Change) => void>();
  #nextId = 48_201;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Fills the past: so many changes, the last of them just now. */
  fill(count: number, nowMs: number): void {
    const stepMs = 740;
    const startMs = nowMs - count * stepMs;
    const life = lifeOfUser42(this.#random);
    for (let index = 0; index < count; index += 1) {
      const atMs = startMs + index * stepMs;
      const step = index % 40 === 39 ? life[Math.floor(index / 40)] : undefined;
      const change = index === count - 6 ? ddlChange : (step ?? randomChange(this.#random, this.#nextId));
      this.append(change, atMs);
    }
  }

  append(change: RowChange, committedAtMs: number): Change {
    const added = placed(change, this.#nextId, committedAtMs, this.#random);
    this.#nextId += 1;
    this.#changes.push(added);
    for (const follow of this.#followers) follow(added);
    return added;
  }

  appendRandom(nowMs: number): Change {
    return this.append(randomChange(this.#random, this.#nextId), nowMs - 60);
  }

  find(id: string): Change | undefined {
    return this.#changes.find(change => change.id === id);
  }

  /** Newest first, older than the cursor. */
  search(query: URLSearchParams): { readonly items: readonly Change[]; readonly nextCursor: string | null } {
    const limit = Number(query.get('limit') ?? '50');
    const before = Number(query.get('cursor') ?? Number.POSITIVE_INFINITY);
    const found = this.#changes
      .filter(change => Number(change.id) < before && matches(change, query))
      .toReversed();
    const items = found.slice(0, limit);
    return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** Calls back for every match after an id, now and later; returns how to stop. */
  follow(query: URLSearchParams, afterId: number, onChange: (change: Change) => void): () => void {
    const offer = (change: Change) => {
      if (matches(change, query)) onChange(change);
    };
    for (const change of this.#changes) if (Number(change.id) > afterId) offer(change);
    this.#followers.add(offer);
    return () => this.#followers.delete(offer);
  }

  clear(): void {
    this.#changes.length = 0;
  }
}

function matches(change: Change, query: URLSearchParams): boolean {
  const exact = (['database', 'table', 'key'] as const).every(name => {
    const wanted = query.get(name);
    return wanted === null || change[name] === wanted;
  });
  const types = query.get('type')?.split(',');
  const from = query.get('from');
  const to = query.get('to');
  const text = query.get('q')?.toLowerCase();
  return (
    exact &&
    (types?.includes(change.type) ?? true) &&
    (from === null || change.committedAt >= from) &&
    (to === null || change.committedAt < to) &&
    (text === undefined || JSON.stringify([change.old, change.data]).toLowerCase().includes(text))
  );
}
