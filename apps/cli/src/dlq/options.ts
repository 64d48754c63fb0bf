import { userInfo } from 'node:os';
import {
  type Actor,
  type DeadLetterFilter,
  type DeadLetterStatus,
  deadLetterStatuses,
} from '@tidemark/connectors';
import type { CommandInput } from '../command.ts';

const filterOptions = ['pipeline', 'reason', 'class', 'key', 'from', 'to', 'status'] as const;
const everywhere = ['json', 'data'] as const;
const acting = ['who', 'why'] as const;

/** Options that go with each action. One that is ignored would be a trap: `discard --dry-run` must not discard. */
export const optionsOf: Readonly<Record<string, readonly string[]>> = {
  list: [...filterOptions, 'limit', ...everywhere],
  show: everywhere,
  edit: ['set', 'payload', 'file', ...acting, ...everywhere],
  replay: [...filterOptions, 'all', 'dry-run', 'rate', 'replays-max', ...acting, ...everywhere],
  discard: [...filterOptions, 'all', 'dry-run', ...acting, ...everywhere],
  rebuild: everywhere,
};

const idPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** The ids behind the action. */
export function idsOf(input: CommandInput): readonly string[] {
  const ids = input.positionals.slice(1);
  const wrong = ids.find(id => !idPattern.test(id));
  if (wrong !== undefined) throw input.refuse(`${wrong} is not the id of a dead letter`);
  return ids.map(id => id.toLowerCase());
}

/** The one id that an action is about. */
export function idOf(input: CommandInput): string {
  const [id, ...more] = idsOf(input);
  if (id === undefined) throw input.refuse(`${input.positionals[0]} needs the id of a dead letter`);
  if (more.length > 0) throw input.refuse(`${input.positionals[0]} takes one dead letter at a time`);
  return id;
}

export function filterOf(input: CommandInput, nowMs: number): DeadLetterFilter {
  const ids = idsOf(input);
  return {
    ids: ids.length > 0 ? ids : undefined,
    pipeline: input.text('pipeline'),
    reason: input.text('reason'),
    errorClass: input.text('class'),
    key: input.text('key'),
    from: timeOf(input, 'from', nowMs),
    to: timeOf(input, 'to', nowMs),
    status: statusOf(input),
  };
}

/** A filter for an action that changes something: somebody has to say what is meant. */
export function chosen(input: CommandInput, nowMs: number): DeadLetterFilter {
  const named = input.positionals.length > 1 || input.given.some(option => isFilter(option));
  if (input.flag('all') === named) {
    throw input.refuse(
      named
        ? '--all does not go with ids or filters'
        : `${input.positionals[0]} needs ids, a filter, or --all for every open letter`,
    );
  }
  const filter = filterOf(input, nowMs);
  if (filter.status === undefined || filter.status === 'open') return filter;
  throw input.refuse(
    `only open letters can be ${input.positionals[0]}ed, not those that were ${filter.status}`,
  );
}

function isFilter(option: string): boolean {
  return (filterOptions as readonly string[]).includes(option);
}

function statusOf(input: CommandInput): DeadLetterStatus | undefined {
  const status = input.text('status');
  if (status === undefined) return undefined;
  const found = deadLetterStatuses.find(known => known === status);
  if (found === undefined)
    throw input.refuse(`--status takes ${deadLetterStatuses.join(', ')}, not "${status}"`);
  return found;
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A point in time, or how long ago. */
function timeOf(input: CommandInput, option: string, nowMs: number): string | undefined {
  const text = input.text(option);
  if (text === undefined) return undefined;
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const ms = amount === undefined ? Date.parse(text) : nowMs - Number(amount) * (unitMs[unit ?? ''] ?? 0);
  if (/^\d{4}-/.test(text) || amount !== undefined) {
    if (!Number.isNaN(ms) && Math.abs(ms) <= 8.64e15) return new Date(ms).toISOString();
  }
  throw input.refuse(
    `--${option} takes a time such as 2026-11-21T10:00:00Z, or 15m, 2h, 3d ago, not "${text}"`,
  );
}

export function actorOf(input: CommandInput): Actor {
  return { name: input.text('who') ?? systemUser(), why: input.text('why') ?? 'not said' };
}

/** A container may run under a number that has no name. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** A number above 0. */
export function positive(input: CommandInput, option: string, fallback: number): number {
  const text = input.text(option);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= 1_000_000) return value;
  throw input.refuse(`--${option} takes a number above 0, not "${text}"`);
}
