import { useSyncExternalStore } from 'react';
import type { Zone } from './time.ts';

/** What a person chose for this browser. */
export interface Preferences {
  readonly theme: 'system' | 'light' | 'dark';
  readonly zone: Zone;
  /** Single-key shortcuts; WCAG 2.1.4 wants them switchable. */
  readonly shortcuts: boolean;
}

const defaults: Preferences = { theme: 'system', zone: 'local', shortcuts: true };
const prefix = 'tidemark.';

let current = load();
const listeners = new Set<() => void>();

function load(): Preferences {
  return {
    theme: read('theme', defaults.theme),
    zone: read('zone', defaults.zone),
    shortcuts: read('shortcuts', defaults.shortcuts),
  };
}

function read<T>(name: string, fallback: T): T {
  try {
    const text = localStorage.getItem(prefix + name);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

/** Changes one preference and keeps it. `/theme.js` reads the theme before the first paint. */
export function setPreference<K extends keyof Preferences>(name: K, value: Preferences[K]): void {
  current = { ...current, [name]: value };
  try {
    localStorage.setItem(prefix + name, JSON.stringify(value));
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  if (name === 'theme') applyTheme();
  for (const listener of listeners) listener();
}

function applyTheme(): void {
  if (current.theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = current.theme;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => current);
}

/** The theme that is in force, with `system` resolved; follows the system while the page is open. */
export function useDarkTheme(): boolean {
  const { theme } = usePreferences();
  const systemDark = useSyncExternalStore(subscribeToSystem, () => systemQuery.matches);
  return theme === 'system' ? systemDark : theme === 'dark';
}

const systemQuery = matchMedia('(prefers-color-scheme: dark)');

function subscribeToSystem(listener: () => void): () => void {
  systemQuery.addEventListener('change', listener);
  return () => systemQuery.removeEventListener('change', listener);
}
