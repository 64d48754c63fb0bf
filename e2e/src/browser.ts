import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

const candidates = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const executablePath = candidates.find(path => existsSync(path));

/** The reason to skip, said aloud, when this machine has no browser; false when it has one. */
export function skipWithoutBrowser(): string | false {
  if (executablePath !== undefined) return false;
  process.stderr.write(
    '\n  !! SKIPPED: the browser test, because no Chromium is installed; .ci/run installs it\n\n',
  );
  return 'no Chromium on this machine';
}

export interface BrowserWindow {
  readonly page: Page;
  /** Everything that the page wrote to its console as an error, and every exception nobody caught. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/** A real browser with a fresh profile, showing one page. */
export async function openBrowser(
  url: string,
  view: { readonly width: number; readonly height: number; readonly theme?: 'light' | 'dark' },
): Promise<BrowserWindow> {
  const profile = await mkdtemp(join(tmpdir(), 'tidemark-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executablePath ?? '',
    headless: true,
    viewport: { width: view.width, height: view.height },
    colorScheme: view.theme ?? 'light',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const errors: string[] = [];
  page.on('pageerror', error => errors.push(error.message));
  page.on('console', message => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  return {
    page,
    errors,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
