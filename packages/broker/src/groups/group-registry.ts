import type { Journal, JournalEntry } from '../storage/journal.ts';
import { Group, type GroupEnvironment } from './group.ts';
import type { GroupSnapshot } from './group-generation.ts';
import {
  fromJournalRows,
  type GroupEntry,
  groupEntry,
  isGroupEntry,
  snapshotOf,
  toJournalRows,
} from './group-journal.ts';
import { type OffsetRow, OffsetStore } from './offset-store.ts';

interface GroupRecord {
  readonly group: Group;
  readonly offsets: OffsetStore;
  /** Wall clock since when the group has no members, for the expiry of its offsets. */
  emptySinceMs: number | null;
}

export interface RegistryEnvironment extends Omit<GroupEnvironment, 'changed'> {
  /** Where entries go; resolves when they are durable. */
  readonly journal: Pick<Journal, 'append'>;
  /** Wall clock, milliseconds. */
  readonly nowMs: () => number;
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
}

/** All groups with their offsets, and their memory in the journal. */
export class GroupRegistry {
  readonly #env: RegistryEnvironment;
  readonly #records = new Map<string, GroupRecord>();
  /** States seen while the journal is replayed; only the last of each group is brought to life. */
  readonly #replayed = new Map<string, GroupSnapshot>();

  constructor(env: RegistryEnvironment) {
    this.#env = env;
  }

  get(groupId: string): Group | undefined {
    return this.#records.get(groupId)?.group;
  }

  /** The group, created empty when there is none. */
  create(groupId: string): Group {
    return this.#record(groupId).group;
  }

  all(): readonly Group[] {
    return [...this.#records.values()].map(record => record.group);
  }

  offsets(groupId: string): OffsetStore | undefined {
    return this.#records.get(groupId)?.offsets;
  }

  /** Resolves when the offsets are durable; readers see them from then on. */
  async commit(groupId: string, rows: readonly OffsetRow[]): Promise<void> {
    const { offsets } = this.#record(groupId);
    await this.#append({ kind: 'offsets', groupId, rows: toJournalRows(rows) });
    offsets.commit(rows);
  }

  /** Keeps a transaction's offsets aside until its outcome is known. */
  async stage(groupId: string, producerId: number, rows: readonly OffsetRow[]): Promise<void> {
    const { offsets } = this.#record(groupId);
    await this.#append({ kind: 'offsets-staged', groupId, producerId, rows: toJournalRows(rows) });
    offsets.stage(producerId, rows);
  }

  /** The outcome of a transaction: its offsets count, or are forgotten. */
  async endTransaction(groupId: string, producerId: number, commit: boolean): Promise<void> {
    const record = this.#records.get(groupId);
    if (!record) return;
    await this.#append({ kind: 'offsets-ended', groupId, producerId, commit });
    applyOutcome(record.offsets, producerId, commit);
  }

  async deleteOffsets(
    groupId: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<void> {
    const record = this.#records.get(groupId);
    if (!record || partitions.length === 0) return;
    await this.#append({ kind: 'offsets-deleted', groupId, partitions });
    for (const { topic, partition } of partitions) record.offsets.delete(topic, partition);
  }

  /** Removes a group that the caller found empty. */
  async delete(groupId: string): Promise<void> {
    this.#forget(groupId);
    await this.#append({ kind: 'group-deleted', groupId });
  }

  /** A deleted topic takes its committed offsets along, or a new one of the same name would start in the middle. */
  async topicDeleted(topic: string): Promise<void> {
    await this.#append({ kind: 'offsets-topic-deleted', topic });
    for (const { offsets } of this.#records.values()) offsets.deleteTopic(topic);
  }

  /** After a start: a topic may have been deleted without its offsets, when the broker died between the two. */
  async forgetTopicsExcept(exists: (topic: string) => boolean): Promise<void> {
    const topics = new Set([...this.#records.values()].flatMap(({ offsets }) => offsets.topics()));
    for (const topic of topics) if (!exists(topic)) await this.topicDeleted(topic);
  }

  /** Forgets the offsets of groups that have had no members and no commits for the retention time. */
  async expire(retentionMs: number): Promise<void> {
    const nowMs = this.#env.nowMs();
    const before = nowMs - retentionMs;
    for (const [groupId, record] of this.#records) {
      if (record.group.state !== 'Empty' || record.group.hasPending) continue;
      record.emptySinceMs ??= nowMs;
      if (record.emptySinceMs >= before || record.offsets.staged().size > 0) continue;
      if (record.offsets.rows().every(row => row.committedAtMs < before)) await this.delete(groupId);
    }
  }

  /** Takes one entry of the journal at the start. False when it is not about groups. */
  replay(entry: JournalEntry): boolean {
    if (!isGroupEntry(entry)) return false;
    this.#apply(entry);
    return true;
  }

  /** Brings the groups to life when the whole journal was read. */
  replayed(): void {
    for (const [groupId, snapshot] of this.#replayed) this.#record(groupId).group.restore(snapshot);
    this.#replayed.clear();
  }

  dump(): JournalEntry[] {
    return [...this.#records].flatMap(([groupId, { group, offsets, emptySinceMs }]): GroupEntry[] => [
      groupEntry(group, emptySinceMs),
      { kind: 'offsets', groupId, rows: toJournalRows(offsets.rows()) },
      ...[...offsets.staged()].map(
        ([producerId, rows]): GroupEntry => ({
          kind: 'offsets-staged',
          groupId,
          producerId,
          rows: toJournalRows(rows),
        }),
      ),
    ]);
  }

  close(): void {
    for (const { group } of this.#records.values()) group.close();
  }

  #append(entry: GroupEntry): Promise<void> {
    return this.#env.journal.append([entry]);
  }

  #record(groupId: string): GroupRecord {
    const known = this.#records.get(groupId);
    if (known) return known;
    const group = new Group(groupId, { ...this.#env, changed: changed => this.#remember(changed) });
    const record: GroupRecord = { group, offsets: new OffsetStore(), emptySinceMs: null };
    this.#records.set(groupId, record);
    return record;
  }

  #forget(groupId: string): void {
    this.#records.get(groupId)?.group.close();
    this.#records.delete(groupId);
    this.#replayed.delete(groupId);
  }

  /** Resolves also when the disk refuses: a group goes on, and may have to share anew after a crash. */
  async #remember(group: Group): Promise<void> {
    const record = this.#records.get(group.id);
    if (!record) return;
    record.emptySinceMs = group.state === 'Empty' ? this.#env.nowMs() : null;
    await this.#append(groupEntry(group, record.emptySinceMs)).catch((error: unknown) => {
      this.#env.warn('a group could not be journaled', { group: group.id, error });
    });
  }

  #apply(entry: GroupEntry): void {
    switch (entry.kind) {
      case 'group':
        this.#record(entry.groupId).emptySinceMs = entry.emptySinceMs;
        this.#replayed.set(entry.groupId, snapshotOf(entry.state));
        break;
      case 'group-deleted':
        this.#forget(entry.groupId);
        break;
      case 'offsets':
        this.#record(entry.groupId).offsets.commit(fromJournalRows(entry.rows));
        break;
      case 'offsets-staged':
        this.#record(entry.groupId).offsets.stage(entry.producerId, fromJournalRows(entry.rows));
        break;
      case 'offsets-ended':
        applyOutcome(this.#record(entry.groupId).offsets, entry.producerId, entry.commit);
        break;
      case 'offsets-deleted':
        for (const { topic, partition } of entry.partitions) {
          this.#record(entry.groupId).offsets.delete(topic, partition);
        }
        break;
      case 'offsets-topic-deleted':
        for (const { offsets } of this.#records.values()) offsets.deleteTopic(entry.topic);
        break;
    }
  }
}

function applyOutcome(offsets: OffsetStore, producerId: number, commit: boolean): void {
  const rows = offsets.takeStaged(producerId);
  if (commit) offsets.commit(rows);
}
