import type { Change, Row } from '@tidemark/contracts';
import {
  accountRow,
  between,
  historyRow,
  pick,
  type Random,
  reviewRow,
  reviewTexts,
  tellerRow,
  userRow,
} from './sample-rows.ts';

/** What happened to which row, before it is given a place in the store. */
export interface RowChange {
  readonly table: string;
  readonly type: 'INSERT' | 'UPDATE' | 'DELETE' | 'ALTER';
  readonly key: string;
  readonly old: Row | null;
  readonly data: Row | null;
  readonly sql?: string;
}

/** One change of the kind that a busy stack produces. */
export function randomChange(random: Random, sequence: number): RowChange {
  const roll = random();
  if (roll < 0.34) return accountUpdate(random);
  if (roll < 0.54) return tellerUpdate(random);
  if (roll < 0.72) return { ...base('pgbench_history', 'INSERT', ''), data: historyRow(random) };
  if (roll < 0.86) return reviewChange(random, sequence);
  return userChange(random);
}

function base(table: string, type: RowChange['type'], key: string): RowChange {
  return { table, type, key, old: null, data: null };
}

function accountUpdate(random: Random): RowChange {
  const aid = between(random, 1, 100_000);
  const before = accountRow(random, aid);
  const after = {
    ...before,
    abalance: String(BigInt(before['abalance'] ?? '0') + BigInt(between(random, -5000, 5000))),
  };
  return { ...base('pgbench_accounts', 'UPDATE', String(aid)), old: before, data: after };
}

function tellerUpdate(random: Random): RowChange {
  const tid = between(random, 1, 100);
  const before = tellerRow(random, tid);
  const after = { ...before, tbalance: String(Number(before['tbalance']) + between(random, -5000, 5000)) };
  return { ...base('pgbench_tellers', 'UPDATE', String(tid)), old: before, data: after };
}

function reviewChange(random: Random, sequence: number): RowChange {
  const row = reviewRow(random, sequence);
  const key = row['review_id'] ?? '';
  if (random() < 0.75) return { ...base('reviews', 'INSERT', key), data: row };
  const after = { ...row, rating: String(between(random, 1, 5)), text: pick(random, reviewTexts) };
  return { ...base('reviews', 'UPDATE', key), old: row, data: after };
}

function userChange(random: Random): RowChange {
  const id = between(random, 2, 60);
  const row = userRow(random, id);
  const roll = random();
  if (roll < 0.3) return { ...base('users', 'INSERT', String(id)), data: row };
  if (roll < 0.4) return { ...base('users', 'DELETE', String(id)), data: row };
  const after = {
    ...row,
    role: row['role'] === 'viewer' ? 'operator' : 'viewer',
    updated_at: '2026-11-21 04:33:01.223900+00',
  };
  return { ...base('users', 'UPDATE', String(id)), old: row, data: after };
}

/** The life of one row from its first version to its end, for the history page. */
export function lifeOfUser42(random: Random): readonly RowChange[] {
  const born = { ...userRow(random, 42), email: 'grace.42@example.com', role: 'viewer' };
  const renamed = { ...born, email: 'grace.hopper@example.com' };
  const promoted = { ...renamed, role: 'operator' };
  const admin = { ...promoted, role: 'admin', updated_at: '2026-11-21 04:33:01.223900+00' };
  const update = (old: Row, data: Row): RowChange => ({ ...base('users', 'UPDATE', '42'), old, data });
  return [
    { ...base('users', 'INSERT', '42'), data: born },
    update(born, renamed),
    update(renamed, promoted),
    update(promoted, { ...promoted, token: '***' }),
    update(promoted, admin),
  ];
}

export const ddlChange: RowChange = {
  ...base('reviews', 'ALTER', ''),
  sql: 'ALTER TABLE reviews ADD COLUMN trace_context text',
};

/** A change with its place: ids ascend, the TSO is milliseconds << 18, and each station took a little while. */
export function placed(change: RowChange, id: number, committedAtMs: number, random: Random): Change {
  const capturedAtMs = committedAtMs + between(random, 4, 30);
  return {
    id: String(id),
    database: 'sre_app',
    table: change.table,
    type: change.type,
    key: change.key,
    commitTs: String((BigInt(committedAtMs) << 18n) | 1n),
    committedAt: new Date(committedAtMs).toISOString(),
    capturedAt: new Date(capturedAtMs).toISOString(),
    storedAt: new Date(capturedAtMs + between(random, 8, 90)).toISOString(),
    old: change.old,
    data: change.data,
    sql: change.sql ?? null,
    topic: 'tidb_cdc',
    partition: id % 3,
    offset: String(1_204_000 + id),
    traceId: change.table.startsWith('pgbench') ? null : '4bf92f3577b34da6a3ce929d0e0e4736',
  };
}
