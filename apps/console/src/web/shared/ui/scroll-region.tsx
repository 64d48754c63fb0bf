import type { ReactNode } from 'react';

/** Content wider than the screen: it scrolls by itself, by keyboard too, and has a name for screen readers. */
export function ScrollRegion({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    // WCAG 2.1.1: what scrolls must be reachable by keyboard, and a table has nothing to focus inside.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <section className="table-scroll" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
