import type { JournalEntry } from '../storage/journal.ts';
import type { Group } from './group.ts';
import type { GroupSnapshot } from './group-generation.ts';
import type { OffsetRow } from './offset-store.ts';

/** A row as the journal keeps it: topic, partition, offset, leader epoch, metadata, time of the commit. */
type JournalRow = readonly [string, number, number, number, string, number];

/** What the journal remembers of groups. */
export type GroupEntry =
  | {
      readonly kind: 'group';
      readonly groupId: string;
      readonly emptySinceMs: number | null;
      readonly state: unknown;
    }
  | { readonly kind: 'group-deleted'; readonly groupId: string }
  | { readonly kind: 'offsets'; readonly groupId: string; readonly rows: readonly JournalRow[] }
  | {
      readonly kind: 'offsets-staged';
      readonly groupId: string;
      readonly producerId: number;
      readonly rows: readonly JournalRow[];
    }
  | {
      readonly kind: 'offsets-ended';
      readonly groupId: string;
      readonly producerId: number;
      readonly commit: boolean;
    }
  | {
      readonly kind: 'offsets-deleted';
      readonly groupId: string;
      readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
    }
  | { readonly kind: 'offsets-topic-deleted'; readonly topic: string };

const KINDS: ReadonlySet<string> = new Set<GroupEntry['kind']>([
  'group',
  'group-deleted',
  'offsets',
  'offsets-staged',
  'offsets-ended',
  'offsets-deleted',
  'offsets-topic-deleted',
]);

export function isGroupEntry(entry: JournalEntry): entry is GroupEntry & JournalEntry {
  return KINDS.has(entry.kind);
}

export function toJournalRows(rows: readonly OffsetRow[]): JournalRow[] {
  return rows.map(row => [
    row.topic,
    row.partition,
    row.offset,
    row.leaderEpoch,
    row.metadata,
    row.committedAtMs,
  ]);
}

export function fromJournalRows(rows: readonly JournalRow[]): OffsetRow[] {
  return rows.map(([topic, partition, offset, leaderEpoch, metadata, committedAtMs]) => ({
    topic,
    partition,
    offset,
    leaderEpoch,
    metadata,
    committedAtMs,
  }));
}

/** Members are opaque bytes to the broker; JSON carries them as base64. */
export function groupEntry(group: Group, emptySinceMs: number | null): GroupEntry {
  const { members, ...rest } = group.snapshot();
  const state = {
    ...rest,
    members: members.map(({ description, assignment }) => ({
      ...description,
      protocols: description.protocols.map(({ name, metadata }) => [name, metadata.toString('base64')]),
      assignment: assignment.toString('base64'),
    })),
  };
  return { kind: 'group', groupId: group.id, emptySinceMs, state };
}

interface JournaledMember extends Omit<GroupSnapshot['members'][number]['description'], 'protocols'> {
  readonly protocols: readonly (readonly [string, string])[];
  readonly assignment: string;
}

export function snapshotOf(state: unknown): GroupSnapshot {
  const { members, ...rest } = state as Omit<GroupSnapshot, 'members'> & {
    members: readonly JournaledMember[];
  };
  return {
    ...rest,
    members: members.map(({ assignment, protocols, ...description }) => ({
      description: {
        ...description,
        protocols: protocols.map(([name, metadata]) => ({ name, metadata: Buffer.from(metadata, 'base64') })),
      },
      assignment: Buffer.from(assignment, 'base64'),
    })),
  };
}
