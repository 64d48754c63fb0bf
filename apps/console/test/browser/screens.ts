import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { chromiumPath, type Harness, startHarness } from './harness.ts';

/**
 * Takes pictures of every page and state, to be looked at by a person:
 * `node apps/console/test/browser/screens.ts [--out DIR] [--only NAME]`
 */
interface Shot {
  readonly name: string;
  readonly path: string;
  readonly prepare?: (harness: Harness) => void;
  readonly act?: (page: Page, harness: Harness) => Promise<void>;
  /** Samples of the overview to wait for. */
  readonly settleMs?: number;
}

const failing = (path: string) => (harness: Harness) => {
  harness.mock.mood.failures.set(path, {
    status: 503,
    body: {
      error: {
        code: 'DATABASE_UNAVAILABLE',
        message: 'The database does not answer.',
        hint: 'See what is wrong with: ./run.sh status',
      },
    },
  });
};
const empty = (harness: Harness) => {
  harness.mock.mood.empty = true;
};

const shots: readonly Shot[] = [
  { name: 'sign-in', path: '/sign-in', prepare: harness => (harness.mock.mood.signedIn = false) },
  {
    name: 'sign-in-wrong',
    path: '/sign-in?expired=1',
    prepare: harness => (harness.mock.mood.signedIn = false),
    async act(page) {
      await page.getByLabel('Email').fill('admin@example.com');
      await page.getByLabel('Password').fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
    },
  },
  { name: 'overview', path: '/', settleMs: 26_000 },
  {
    name: 'overview-behind',
    path: '/',
    settleMs: 5000,
    prepare: harness => (harness.mock.mood.health = 'behind'),
  },
  {
    name: 'overview-broken',
    path: '/',
    settleMs: 5000,
    prepare: harness => (harness.mock.mood.health = 'broken'),
  },
  { name: 'overview-empty', path: '/', settleMs: 3000, prepare: empty },
  { name: 'overview-error', path: '/', settleMs: 3000, prepare: failing('/api/overview') },
  { name: 'overview-loading', path: '/', prepare: harness => harness.mock.mood.silent.add('/api/overview') },
  {
    name: 'overview-partitions',
    path: '/',
    async act(page) {
      await page.getByRole('button', { name: /changes-to-store/ }).click();
      await page.getByRole('button', { name: /changes-to-store/ }).scrollIntoViewIfNeeded();
    },
  },
  { name: 'changes', path: '/changes' },
  {
    name: 'changes-drawer',
    path: '/changes',
    async act(page, harness) {
      await page.locator('.change-row', { hasText: 'users' }).filter({ hasText: 'UPDATE' }).first().click();
      for (let count = 0; count < 12; count += 1) harness.mock.changes.appendRandom(Date.now());
      await page.getByRole('button', { name: '12 new' }).waitFor();
    },
  },
  { name: 'changes-none', path: '/changes?q=no+such+thing&table=users&type=DELETE' },
  { name: 'changes-empty', path: '/changes', prepare: empty },
  { name: 'changes-error', path: '/changes', prepare: failing('/api/changes'), settleMs: 1500 },
  {
    name: 'changes-loading',
    path: '/changes',
    prepare: harness => harness.mock.mood.silent.add('/api/changes'),
  },
  { name: 'row-history', path: '/rows/sre_app/users/42' },
  { name: 'row-history-none', path: '/rows/sre_app/users/7777' },
  { name: 'users', path: '/users' },
  {
    name: 'users-add',
    path: '/users',
    async act(page) {
      await page.getByRole('button', { name: 'Add user' }).click();
    },
  },
  {
    name: 'users-delete',
    path: '/users',
    async act(page) {
      await page.getByRole('button', { name: /^Delete tony/ }).click();
    },
  },
  { name: 'users-viewer', path: '/users', prepare: harness => (harness.mock.mood.role = 'viewer') },
  { name: 'users-error', path: '/users', prepare: failing('/api/users'), settleMs: 1500 },
  { name: 'reviews', path: '/reviews' },
  {
    name: 'reviews-sent',
    path: '/reviews',
    async act(page) {
      await page.getByLabel('4 of 5').check({ force: true });
      await page.getByLabel('Text').fill('Quiet, light, and it simply works.');
      await page.getByRole('button', { name: 'Send review' }).click();
      await page.getByText('Processed.').waitFor();
    },
  },
  { name: 'reviews-empty', path: '/reviews', prepare: empty },
  {
    name: 'palette',
    path: '/changes',
    async act(page) {
      await page.locator('.change-row').first().waitFor();
      await page.keyboard.press('Control+k');
      await page.keyboard.type('users 42');
    },
  },
  {
    name: 'help',
    path: '/users',
    async act(page) {
      await page.getByRole('table').waitFor();
      await page.keyboard.press('?');
    },
  },
  {
    name: 'account-menu',
    path: '/users',
    async act(page) {
      await page.locator('.account').click();
      await page.getByRole('menu').waitFor();
    },
  },
  { name: 'not-found', path: '/no/such/page' },
];

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    only: { type: 'string' },
    widths: { type: 'string' },
    themes: { type: 'string' },
  },
});
const out = values.out ?? join(tmpdir(), 'console-shots');
const widths = (values.widths ?? '1440,390').split(',').map(Number);
const themes = (values.themes ?? 'light,dark').split(',') as ('light' | 'dark')[];
await mkdir(out, { recursive: true });
if (chromiumPath === undefined) throw new Error('Chromium is not installed');
const harness = await startHarness(chromiumPath);
const chosen = shots.filter(shot => values.only === undefined || new RegExp(values.only).test(shot.name));
for (const shot of chosen) {
  for (const width of widths) {
    for (const theme of themes) await take(shot, width, theme);
  }
}
await harness.close();

async function take(shot: Shot, width: number, theme: 'light' | 'dark'): Promise<void> {
  const { mood } = harness.mock;
  Object.assign(mood, { health: 'well', role: 'admin', empty: false, signedIn: true });
  mood.failures.clear();
  mood.silent.clear();
  shot.prepare?.(harness);
  const page = await harness.open(shot.path, {
    width,
    height: width < 760 ? 844 : 900,
    theme,
    reducedMotion: false,
  });
  page.on('console', message => {
    if (message.type() === 'error') process.stdout.write(`${shot.name}: ${message.text()}\n`);
  });
  page.on('pageerror', error => process.stdout.write(`${shot.name}: ${error.message}\n`));
  try {
    await page.waitForTimeout(600);
    await shot.act?.(page, harness);
    await page.waitForTimeout(shot.settleMs ?? 500);
  } catch (error) {
    process.stdout.write(`${shot.name} ${width} ${theme}: ${String(error)}\n`);
  }
  await page.screenshot({
    path: join(out, `${shot.name}-${width}-${theme}.png`),
    fullPage: shot.path === '/',
  });
  await page.context().close();
}
