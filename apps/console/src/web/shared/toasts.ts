import { useSyncExternalStore } from 'react';

export interface Toast {
  readonly id: number;
  readonly tone: 'ok' | 'bad' | 'info';
  readonly title: string;
  readonly detail: string | undefined;
}

/** How long a toast stays. A failure stays until it is put away: it may be the only place that says so. */
const shownMs = 5000;
const toastsMax = 4;

let toasts: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Says something briefly at the edge of the screen and to screen readers. */
export function showToast(tone: Toast['tone'], title: string, detail?: string): void {
  const toast = { id: nextId, tone, title, detail };
  nextId += 1;
  set([...toasts, toast].slice(-toastsMax));
  if (tone !== 'bad') setTimeout(() => dismissToast(toast.id), shownMs);
}

export function dismissToast(id: number): void {
  set(toasts.filter(toast => toast.id !== id));
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
}
