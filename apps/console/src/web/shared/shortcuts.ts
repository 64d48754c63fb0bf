import { useEffect, useRef } from 'react';
import { usePreferences } from './preferences.ts';

/** Keys of single-key shortcuts to what they do. A pair such as `g o` is typed one after the other. */
export type ShortcutMap = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** How long the second key of a pair may take. */
const pairTimeoutMs = 1200;

/** Binds single-key shortcuts while the component is shown. They are off in inputs, in dialogs and by preference. */
export function useShortcuts(map: ShortcutMap): void {
  const { shortcuts } = usePreferences();
  const latest = useRef(map);
  useEffect(() => {
    latest.current = map;
  });
  useEffect(() => {
    if (!shortcuts) return undefined;
    let first: { readonly key: string; readonly atMs: number } | undefined;
    const onKeyDown = (event: KeyboardEvent) => {
      if (!isPlainKey(event)) return;
      const pair = first && event.timeStamp - first.atMs < pairTimeoutMs ? `${first.key} ${event.key}` : '';
      const action = latest.current[pair] ?? latest.current[event.key];
      first = { key: event.key, atMs: event.timeStamp };
      if (!action) return;
      first = undefined;
      event.preventDefault();
      action(event);
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [shortcuts]);
}

function isPlainKey(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing)
    return false;
  const target = event.target instanceof Element ? event.target : document.body;
  return !target.closest('input:not([type=range]), textarea, select, [contenteditable], dialog, [role=menu]');
}
