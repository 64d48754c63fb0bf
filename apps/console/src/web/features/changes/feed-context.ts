import type { Change } from '@tidemark/contracts';
import { createContext } from 'react';

/** What the drawer knows of the list beside it. */
export interface FeedContextValue {
  readonly items: readonly Change[];
  /** Opens a change; undefined closes the drawer. */
  readonly open: (id: string | undefined) => void;
  /** Puts the focus on the row of a change. */
  readonly rememberFocus: (id: string) => void;
}

export const FeedContext = createContext<FeedContextValue>({
  items: [],
  open: () => {},
  rememberFocus: () => {},
});
