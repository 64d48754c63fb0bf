/** Numbers, amounts and durations as people read them. Pure; an unknown value is an en dash everywhere. */

export const unknownText = '–';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** `1,234,567`. */
export function formatCount(value: number | null | undefined): string {
  return value === null || value === undefined ? unknownText : whole.format(value);
}

/** `1.2M` above a hundred thousand, exact below. */
export function formatCompact(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknownText;
  return Math.abs(value) >= 100_000 ? compact.format(value) : whole.format(value);
}

/** Digits of an integer of any size in groups of three: `9,007,199,254,740,993`. Other text is left alone. */
export function groupDigits(text: string): string {
  return /^-?\d+$/.test(text) ? text.replace(/\B(?=(\d{3})+$)/g, ',') : text;
}

/** Events per second, without the unit: `0.4`, `12`, `1,240`. */
export function formatRate(perSec: number | null | undefined): string {
  if (perSec === null || perSec === undefined) return unknownText;
  if (perSec === 0) return '0';
  if (perSec < 0.1) return '<0.1';
  return perSec < 10 ? perSec.toFixed(1) : formatCompact(Math.round(perSec));
}

/** A duration in the two units that matter: `84 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatSeconds(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return unknownText;
  if (seconds < 0) return `−${formatSeconds(-seconds)}`;
  if (seconds < 0.001) return seconds === 0 ? '0 ms' : '<1 ms';
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${trimZero(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
  const [big, small, bigName, smallName] = splitDuration(Math.round(seconds));
  return small === 0 ? `${big} ${bigName}` : `${big} ${bigName} ${small} ${smallName}`;
}

function splitDuration(seconds: number): readonly [number, number, string, string] {
  if (seconds < 3600) return [Math.floor(seconds / 60), seconds % 60, 'min', 's'];
  if (seconds < 86_400) return [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), 'h', 'min'];
  return [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3600), 'd', 'h'];
}

function trimZero(text: string): string {
  return text.replace(/\.0$/, '');
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `512 B`, `1.5 MiB`. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return unknownText;
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), byteUnits.length - 1);
  const amount = bytes / 1024 ** power;
  return `${trimZero(amount.toFixed(power === 0 || amount >= 100 ? 0 : 1))} ${byteUnits[power] ?? ''}`;
}

export interface Lag {
  readonly value: number;
  readonly unit: 'seconds' | 'bytes' | 'events';
}

/** How far a station is behind, in its own unit. */
export function formatLag(lag: Lag | null | undefined): string {
  if (!lag) return unknownText;
  if (lag.unit === 'seconds') return formatSeconds(lag.value);
  if (lag.unit === 'bytes') return formatBytes(lag.value);
  return `${formatCompact(lag.value)} ${lag.value === 1 ? 'event' : 'events'}`;
}

/** `1 change`, `2 changes`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
