import { formatClock, formatDay, type Zone } from '../../shared/time.ts';

/** An instant as `<input type="datetime-local">` has it: `2026-11-21T10:00:00`. */
export function toInputValue(iso: string, zone: Zone): string {
  return `${formatDay(iso, zone)}T${formatClock(iso, zone).slice(0, 8)}`;
}

/** The instant that such an input means, or undefined when it is empty or incomplete. */
export function fromInputValue(value: string, zone: Zone): string | undefined {
  const date = new Date(zone === 'utc' ? `${value}Z` : value);
  return value === '' || Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
