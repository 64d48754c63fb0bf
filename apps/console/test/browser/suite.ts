import { after, before, beforeEach } from 'node:test';
import type { Page } from 'playwright-core';
import { chromiumPath, type Harness, startHarness, type View } from './harness.ts';

/** Why browser tests cannot run here, or false. */
export const skip =
  chromiumPath === undefined ? 'Chromium is not installed: the console was NOT tested in a browser' : false;

/** What the tests of a suite share: one stack and one browser, with fresh pages and a healthy mock for each test. */
export interface Suite {
  readonly harness: () => Harness;
  readonly open: (path: string, view?: View) => Promise<Page>;
  /** Waits until the text is on the page. */
  readonly shows: (page: Page, text: string) => Promise<void>;
}

/** Call inside a `describe`. */
export function browserSuite(): Suite {
  let harness: Harness | undefined;
  const opened: Page[] = [];
  const running = () => {
    if (!harness) throw new Error('the suite has not started');
    return harness;
  };
  before(async () => {
    harness = await startHarness(chromiumPath ?? '');
  });
  after(() => harness?.close());
  beforeEach(async () => {
    for (const page of opened.splice(0)) await page.context().close();
    const { mood } = running().mock;
    Object.assign(mood, { health: 'well', role: 'admin', empty: false, signedIn: true });
    mood.failures.clear();
    mood.silent.clear();
  });
  return {
    harness: running,
    async open(path, view = { width: 1440 }) {
      const page = await running().open(path, view);
      page.setDefaultTimeout(30_000);
      opened.push(page);
      return page;
    },
    shows: (page, text) => page.getByText(text).first().waitFor(),
  };
}
