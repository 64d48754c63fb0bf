import { type RefObject, useEffect, useRef } from 'react';

/** Scrolled further than this the reader looks at older changes. */
const scrolledPx = 60;

/** How long after its last movement the pointer counts as about to click. */
const pointerRestMs = 1500;

/**
 * Tells whether someone is reading in a list: scrolled away from its top, with the focus in it, or moving the
 * pointer over it. A row that slides away under a finger or a focus ring is worse than one that comes late.
 */
export function useReaderAttention(
  list: RefObject<HTMLElement | null>,
  onChange: (reading: boolean) => void,
): void {
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => {
    const element = list.current;
    if (!element) return undefined;
    return watchReader(element, reading => latest.current(reading));
  }, [list]);
}

function watchReader(element: HTMLElement, tell: (reading: boolean) => void): () => void {
  const signs = { scrolled: false, focused: false, pointing: false };
  let rest: ReturnType<typeof setTimeout> | undefined;
  const set = (part: Partial<typeof signs>) => {
    Object.assign(signs, part);
    tell(Object.values(signs).includes(true));
  };
  const pointing = (event: PointerEvent) => {
    if (event.pointerType !== 'mouse') return;
    clearTimeout(rest);
    rest = setTimeout(() => set({ pointing: false }), pointerRestMs);
    if (!signs.pointing) set({ pointing: true });
  };
  const listening = new AbortController();
  const { signal } = listening;
  element.addEventListener('scroll', () => set({ scrolled: element.scrollTop > scrolledPx }), {
    signal,
    passive: true,
  });
  element.addEventListener('focusin', () => set({ focused: true }), { signal });
  const leaving = ({ relatedTarget }: FocusEvent) =>
    set({ focused: relatedTarget instanceof Node && element.contains(relatedTarget) });
  element.addEventListener('focusout', leaving, { signal });
  element.addEventListener('pointermove', pointing, { signal });
  element.addEventListener('pointerleave', () => set({ pointing: false }), { signal });
  return () => {
    listening.abort();
    clearTimeout(rest);
    tell(false);
  };
}
