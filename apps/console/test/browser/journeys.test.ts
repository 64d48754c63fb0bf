import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousViolations } from './axe.ts';
import { pages, unavailable } from './sample-pages.ts';
import { browserSuite, skip } from './suite.ts';

describe('people in a browser', { skip }, () => {
  const { harness, open, shows } = browserSuite();

  test('signing in: refused, limited, then back to where one wanted to go', async () => {
    harness().mock.mood.signedIn = false;
    const page = await open('/users');
    await page.getByText('Sign in to Tidemark').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByText('admin@example.com').waitFor();
    await page.getByLabel('Email').fill('admin@example.com');
    await page.getByLabel('Password').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Email or password is wrong.').waitFor();

    harness().mock.mood.failures.set('/api/auth/login', {
      status: 429,
      body: { error: { code: 'TOO_MANY_ATTEMPTS', message: 'Too many.' } },
      retryAfterSec: 2,
    });
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText(/Try again in [12] s/).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Sign in' }).isDisabled(), true);
    harness().mock.mood.failures.clear();
    await page.getByText('You can try again now.').waitFor();

    await page.getByLabel('Password').fill('admin123');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await shows(page, 'radia.perlman@example.com');
    assert.equal(new URL(page.url()).pathname, '/users');
  });

  test('a session that ends asks to sign in and comes back to the same place', async () => {
    const page = await open('/users?x=1');
    await shows(page, 'radia.perlman@example.com');
    harness().mock.mood.signedIn = false;
    await page.getByText('Your session has ended.').waitFor();
    await page.getByLabel('Email').fill('admin@example.com');
    await page.getByLabel('Password').fill('admin123');
    await page.keyboard.press('Enter');
    await shows(page, 'radia.perlman@example.com');
    assert.match(page.url(), /\/users/);
  });

  test('the console says when the api is away at the start, and goes on by itself', async () => {
    harness().mock.mood.failures.set('/api/auth/me', { ...unavailable, status: 502 });
    const page = await open('/changes');
    await shows(page, 'The console cannot start');
    harness().mock.mood.failures.clear();
    await shows(page, '100 changes shown');
  });

  test('new changes arrive, wait while one reads, and come when asked for', async () => {
    const page = await open('/changes');
    await page.locator('.change-row').first().waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const first = harness().mock.changes.appendRandom(Date.now());
    await page.locator(`.change-row[data-change="${first.id}"]`).waitFor();

    await page.getByRole('button', { name: 'Pause' }).click();
    const second = harness().mock.changes.appendRandom(Date.now());
    const third = harness().mock.changes.appendRandom(Date.now());
    await page.getByRole('button', { name: '2 new' }).waitFor();
    assert.equal(await page.locator(`.change-row[data-change="${second.id}"]`).count(), 0);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator(`.change-row[data-change="${third.id}"]`).waitFor();

    harness().mock.dropStreams();
    const fourth = harness().mock.changes.appendRandom(Date.now());
    await page.locator(`.change-row[data-change="${fourth.id}"]`).waitFor();
    assert.equal(await page.locator(`.change-row[data-change="${third.id}"]`).count(), 1, 'nothing twice');
  });

  test('the list stands still under a focus or a moving pointer', async () => {
    const page = await open('/changes');
    await page.locator('.change-row').first().waitFor();
    await page.keyboard.press('j');
    await page.locator('.change-row:focus').waitFor();
    harness().mock.changes.appendRandom(Date.now());
    await page.getByRole('button', { name: '1 new' }).waitFor();
    await page.getByRole('searchbox').focus();
    await page.getByRole('button', { name: '1 new' }).waitFor({ state: 'detached' });
    await whilePointerMovesOver(page, '.change-row >> nth=2', async () => {
      harness().mock.changes.appendRandom(Date.now());
      await page.getByRole('button', { name: '1 new' }).waitFor();
    });
    await page.mouse.move(5, 5);
    await page.getByRole('button', { name: '1 new' }).waitFor({ state: 'detached' });
  });

  test('filters live in the address, and the list stays bounded in the page', async () => {
    const page = await open('/changes?table=users&type=UPDATE');
    await page.locator('.change-row').first().waitFor();
    const tables = await page.locator('.change-table').allTextContents();
    assert.ok(tables.every(table => table === 'users'));
    assert.equal(await page.getByRole('button', { name: 'Update' }).getAttribute('aria-pressed'), 'true');

    await page.getByRole('searchbox').fill('grace.hopper');
    await page.waitForURL(/q=grace\.hopper/);
    await page.getByText('4 changes shown').waitFor();
    await page.getByRole('button', { name: 'Clear', exact: true }).click();
    await page.getByText('100 changes shown').waitFor();
    assert.ok((await page.locator('.change-row').count()) < 60, 'only what is in sight is in the page');
    await page.locator('.change-scroll').hover();
    await page.mouse.wheel(0, 10_000);
    await page.getByText('200 changes shown').waitFor();
  });

  test('a change opens beside the list under its own address, with an honest diff', async () => {
    const page = await open('/changes?table=users&key=42');
    await page.locator('.change-row').first().click();
    const drawer = page.getByRole('complementary', { name: 'Change' });
    await drawer.getByText('masked').first().waitFor();
    await drawer.getByRole('row', { name: /role ?, changed operator admin/ }).waitFor();
    assert.match(page.url(), /\/changes\/\d+\?table=users&key=42$/);
    assert.deepEqual(await seriousViolations(page), []);

    const direct = await open(new URL(page.url()).pathname);
    await direct.getByRole('row', { name: /role ?, changed operator admin/ }).waitFor();
    await direct.getByRole('link', { name: 'Row history' }).click();
    await shows(direct, 'Version 5');
    await direct.getByRole('slider').press('ArrowLeft');
    await shows(direct, 'Version 4');
    assert.match(direct.url(), /\?at=\d+$/);
  });

  test('the keyboard reaches everything and Escape gives the focus back', async () => {
    const page = await open('/changes');
    await page.locator('.change-row').first().waitFor();
    await page.keyboard.press('j');
    await page.locator('.change-row:focus').waitFor();
    const focused = await page.evaluate('document.activeElement.dataset.change');
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Change' }).waitFor();
    await page.keyboard.press('j');
    await page.waitForURL(url => !url.pathname.endsWith(String(focused)));
    await page.keyboard.press('k');
    await page.waitForURL(url => url.pathname.endsWith(String(focused)));
    await page.keyboard.press('Escape');
    await page.locator(`.change-row[data-change="${String(focused)}"]:focus`).waitFor();

    await page.keyboard.press('/');
    await page.locator('input[type="search"]:focus').waitFor();
    await page.keyboard.type('?g');
    assert.equal(await page.getByRole('dialog').count(), 0, 'shortcuts are off while typing');
    await page.keyboard.press('Escape');

    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await page.keyboard.press('g');
    await page.keyboard.press('u');
    await shows(page, 'radia.perlman@example.com');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('users 42');
    assert.deepEqual(await seriousViolations(page), []);
    await page.keyboard.press('Enter');
    await shows(page, 'Version 5');
  });

  test('tabbing walks from the skip link through the navigation into the page', async () => {
    const page = await open('/users');
    await shows(page, 'radia.perlman@example.com');
    const walked: string[] = [];
    for (let count = 0; count < 14; count += 1) {
      await page.keyboard.press('Tab');
      walked.push(
        await page.evaluate<string>('document.activeElement.ariaLabel ?? document.activeElement.textContent'),
      );
    }
    const order = [
      'Skip to the content',
      'Tidemark, overview',
      'Go to…',
      'Overview',
      'Changes',
      'Reviews',
      'Users',
      'All is well',
      'admin@example.com',
      'Add user',
      'History of the row of',
    ];
    let from = 0;
    for (const name of order) {
      const found = walked.findIndex((label, index) => index >= from && label.includes(name));
      assert.ok(found >= 0, `${name} comes next in ${walked.join(' | ')}`);
      from = found;
    }
  });

  test('users: added, changed, and deleted only after typing the address', async () => {
    const page = await open('/users');
    await page.getByRole('button', { name: 'Add user' }).click();
    await page.getByLabel('Email').fill('grace.hopper@example.com');
    await page.getByLabel('Password').fill('short');
    await page.getByRole('button', { name: 'Add user' }).last().click();
    await shows(page, 'At least 8 characters.');
    await page.getByLabel('Password').fill('long enough');
    await page.keyboard.press('Enter');
    await shows(page, 'This address has an account already.');
    await page.getByLabel('Email').fill('New.Person@example.com');
    await page.keyboard.press('Enter');
    await page.getByText('new.person@example.com was added').waitFor();
    assert.equal(harness().mock.received.at(-1)?.csrf, 'mock-csrf-token');

    await page.getByRole('button', { name: 'Change new.person@example.com' }).click();
    await page.getByRole('radio', { name: /operator/ }).check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: /new\.person@example\.com.*operator/ }).waitFor();

    await page.getByRole('button', { name: 'Delete new.person@example.com' }).click();
    const dialog = page.getByRole('dialog');
    assert.equal(await dialog.getByRole('button', { name: 'Delete for good' }).isDisabled(), true);
    assert.deepEqual(await seriousViolations(page), []);
    await dialog.getByLabel(/to confirm/).fill('new.person@example.com');
    await dialog.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('new.person@example.com was deleted').waitFor();
    assert.equal(await page.getByRole('row', { name: /new\.person/ }).count(), 0);
  });

  test('a viewer sees why the controls are off', async () => {
    harness().mock.mood.role = 'viewer';
    const page = await open('/users');
    const add = page.getByRole('button', { name: 'Add user' });
    await add.waitFor();
    assert.equal(await add.isDisabled(), true);
    const reason = await add.getAttribute('aria-describedby');
    assert.match((await page.locator(`#${String(reason)}`).textContent()) ?? '', /Only an admin may/);
    const reviews = await open('/reviews');
    await reviews.getByText('Operators and admins may write reviews.').waitFor();
    assert.equal(await reviews.getByRole('button', { name: 'Send review' }).isDisabled(), true);
  });

  test('everybody may change their own password, by proving the present one', async () => {
    harness().mock.mood.role = 'viewer';
    const page = await open('/users');
    await page.getByRole('button', { name: /admin@example.com/ }).click();
    await page.getByRole('menuitem', { name: 'Change password' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change your password' });
    await dialog.getByLabel('Present password').fill('admin123');
    await dialog.getByLabel('New password').fill('a better one');
    assert.deepEqual(await seriousViolations(page), []);
    await page.keyboard.press('Enter');
    await page.getByText('Your password was changed').waitFor();
    const { body } = harness().mock.received.at(-1) ?? {};
    assert.deepEqual(body, { currentPassword: 'admin123', password: 'a better one' });
  });

  test('a review is told accepted, then processed', async () => {
    const page = await open('/reviews');
    await shows(page, 'Write a review');
    await page.getByRole('button', { name: 'Send review' }).click();
    await shows(page, 'Choose one to five stars.');
    await page.getByRole('radio', { name: '4 of 5, very good' }).check({ force: true });
    await page.getByLabel('Text').fill('Quiet, light, and it simply works.');
    await page.getByRole('button', { name: 'Send review' }).click();
    await page.getByText('Accepted.').waitFor();
    await page.getByText('Processed.', { exact: true }).waitFor();
    assert.deepEqual(harness().mock.received.at(-1)?.body, {
      rating: 4,
      text: 'Quiet, light, and it simply works.',
    });
  });

  test('states are told by word, and the overview alarms when the books do not balance', async () => {
    harness().mock.mood.health = 'broken';
    const page = await open('/');
    await shows(page, 'The books do not balance.');
    const consumer = page.getByRole('article', { name: 'Consumer' });
    await consumer.getByText('Down').waitFor();
    await consumer.getByText('No answer from').waitFor();
    await page.getByRole('link', { name: /Needs attention/ }).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('button', { name: /changes-to-store/ }).click();
    await page.getByRole('region', { name: 'Partitions of changes-to-store' }).waitFor();
    await page.getByRole('button', { name: 'Show as table' }).click();
    await page.getByRole('region', { name: 'Samples' }).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
  });

  test('theme and zone are chosen from the account menu and kept', async () => {
    const page = await open('/changes');
    await page.locator('.change-row').first().waitFor();
    await page.getByRole('button', { name: /admin@example.com/ }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('menuitemradio', { name: 'UTC' }).click();
    await page.reload();
    await page.locator('.change-row').first().waitFor();
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    const title = await page.locator('.change-row time').first().getAttribute('title');
    assert.match(title ?? '', /UTC$/);
  });

  test('nothing is asked of another host, and the policy is never broken', async () => {
    const page = await open('/sign-in');
    const hosts = new Set<string>();
    const complaints: string[] = [];
    page.on('request', request => hosts.add(new URL(request.url()).host));
    page.on('console', message => {
      if (/Content.Security.Policy/i.test(message.text())) complaints.push(message.text());
    });
    for (const { path, data } of pages) {
      await page.goto(harness().url + path);
      await shows(page, data);
    }
    await page.getByRole('button', { name: /admin@example.com/ }).click();
    await page.getByRole('menu').waitFor();
    assert.deepEqual([...hosts], [new URL(harness().url).host]);
    assert.deepEqual(complaints, []);
  });
});

/** A pointer rests after a moment, and a busy machine may take longer than that: it is kept moving for as long as it takes. */
async function whilePointerMovesOver(page: Page, selector: string, work: () => Promise<void>): Promise<void> {
  const box = await page.locator(selector).boundingBox();
  assert.ok(box);
  const working = new AbortController();
  const moving = (async () => {
    for (let step = 0; !working.signal.aborted; step += 1)
      await page.mouse.move(box.x + 20 + (step % 40), box.y + box.height / 2);
  })();
  try {
    await work();
  } finally {
    working.abort();
    await moving;
  }
}
