/** Instants as people read them. The zone and the present are passed in. */

export type Zone = 'local' | 'utc';

const fields = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
const clockFields = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
} as const;

const formatters: Readonly<
  Record<Zone, { readonly day: Intl.DateTimeFormat; readonly clock: Intl.DateTimeFormat }>
> = {
  local: {
    day: new Intl.DateTimeFormat('sv-SE', fields),
    clock: new Intl.DateTimeFormat('en-GB', clockFields),
  },
  utc: {
    day: new Intl.DateTimeFormat('sv-SE', { ...fields, timeZone: 'UTC' }),
    clock: new Intl.DateTimeFormat('en-GB', { ...clockFields, timeZone: 'UTC' }),
  },
};

/** `14:03:22.481`. */
export function formatClock(iso: string, zone: Zone): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : formatters[zone].clock.format(date);
}

/** `2026-11-21`. */
export function formatDay(iso: string, zone: Zone): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : formatters[zone].day.format(date);
}

/** `2026-11-21 14:03:22.481 UTC`, or without a suffix in local time. */
export function formatInstant(iso: string, zone: Zone): string {
  return `${formatDay(iso, zone)} ${formatClock(iso, zone)}${zone === 'utc' ? ' UTC' : ''}`;
}

const steps = [
  { below: 60, seconds: 1, name: 's' },
  { below: 3600, seconds: 60, name: 'min' },
  { below: 86_400, seconds: 3600, name: 'h' },
  { below: Number.POSITIVE_INFINITY, seconds: 86_400, name: 'd' },
] as const;

/** `just now`, `12 s ago`, `3 min ago`, `2 d ago`. An instant ahead of our clock counts as now. */
export function formatAgo(iso: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - Date.parse(iso)) / 1000);
  if (Number.isNaN(seconds)) return iso;
  if (seconds < 2) return 'just now';
  const step = steps.find(each => seconds < each.below) ?? steps[3];
  return `${Math.floor(seconds / step.seconds)} ${step.name} ago`;
}

/** Seconds from one instant to another; negative when clocks disagree. */
export function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
