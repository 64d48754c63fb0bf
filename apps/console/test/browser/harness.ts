import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@tidemark/observability';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { buildIfStale } from '../../src/build.ts';
import { type ConsoleService, compose } from '../../src/compose.ts';
import { type MockApi, startMockApi } from '../mock-api/mock-api.ts';

const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser that is installed, or undefined. */
export const chromiumPath = candidates.find(path => existsSync(path));

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface View {
  readonly width: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
  readonly reducedMotion?: boolean;
}

/** The real server with the built app, in front of a mock api, and a real browser. */
export interface Harness {
  readonly mock: MockApi;
  readonly url: string;
  readonly service: ConsoleService;
  /** A page in a context of its own, at the given path. */
  open(path: string, view: View): Promise<Page>;
  close(): Promise<void>;
}

export async function startHarness(executablePath: string): Promise<Harness> {
  await buildIfStale();
  const profile = await mkdtemp(join(tmpdir(), 'tidemark-console-'));
  const mock = await startMockApi();
  const service = compose({ CONSOLE_ADDR: '127.0.0.1:0', API_URL: mock.url }, { logger: silentLogger() });
  await service.start();
  const browser: Browser = await chromium.launch({
    executablePath,
    headless: true,
    args: flags,
    env: { HOME: profile, PATH: '/usr/bin:/bin' },
  });
  const url = `http://127.0.0.1:${service.port}`;
  const contexts: BrowserContext[] = [];
  return {
    mock,
    url,
    service,
    async open(path, view) {
      const context = await browser.newContext({
        viewport: { width: view.width, height: view.height ?? 900 },
        colorScheme: view.theme ?? 'light',
        reducedMotion: (view.reducedMotion ?? true) ? 'reduce' : 'no-preference',
        hasTouch: view.width < 760,
        locale: 'en-GB',
        timezoneId: 'Europe/Berlin',
      });
      contexts.push(context);
      const page = await context.newPage();
      await page.goto(url + path);
      return page;
    },
    async close() {
      for (const context of contexts) await context.close();
      await browser.close();
      await service.stop();
      await mock.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
