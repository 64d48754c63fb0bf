import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { defaultAccount } from '@tidemark/contracts';
import { eventually } from '@tidemark/testkit';
import { type BrowserWindow, openBrowser, skipWithoutBrowser } from '../src/browser.ts';
import { type Stack, startStack } from '../src/stack.ts';

describe('a person at the console', { skip: skipWithoutBrowser() }, () => {
  let stack: Stack;
  let window: BrowserWindow;
  before(async () => {
    stack = await startStack();
    window = await openBrowser(stack.http('console'), { width: 1440, height: 900 });
  });
  after(async () => {
    await window?.close();
    await stack?.stop();
  });

  test('signs in', async () => {
    const { page } = window;
    await page.getByLabel('Email').fill(defaultAccount.email);
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').first().waitFor();
    await page.getByLabel('Password').fill(defaultAccount.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  });

  test('sees every station of the way as well', async () => {
    const { page } = window;
    for (const station of ['Database', 'Capture', 'Broker', 'Consumer', 'Change store']) {
      await page.getByText(station, { exact: true }).first().waitFor();
    }
    await page.getByText('The books balance.').waitFor();
  });

  test('adds a user, and the change appears live', async () => {
    const { page } = window;
    const watching = await page.context().newPage();
    await watching.goto(`${stack.http('console')}/changes`);
    await watching.getByText('Live', { exact: false }).first().waitFor();
    await page.goto(`${stack.http('console')}/users`);
    await page.getByRole('button', { name: 'Add user' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Email').fill('browser@example.com');
    await dialog.getByLabel('Password').fill('correct horse battery');
    await dialog.getByRole('button', { name: 'Add user' }).click();
    await page.getByRole('cell', { name: 'browser@example.com' }).first().waitFor();
    await watching.getByText('browser@example.com', { exact: false }).first().waitFor({ timeout: 15_000 });
    await watching.close();
  });

  test('finds it by search, and opens what changed', async () => {
    const { page } = window;
    await page.goto(`${stack.http('console')}/changes?q=browser%40example.com`);
    await page
      .getByRole('link', { name: /browser@example\.com/ })
      .first()
      .click();
    const drawer = page.getByRole('complementary', { name: 'Change' });
    await drawer.getByText('masked').first().waitFor();
    assert.doesNotMatch(await drawer.innerText(), /\$2[aby]\$/, 'the password hash is masked');
  });

  test('and finds the same change in the metrics and in the log', async () => {
    const metrics = await (await fetch(`${stack.http('consumer')}/metrics`)).text();
    assert.match(metrics, /^cdc_events_total\{table="users",op="insert"\} [1-9]/m);
    await eventually('the log line', async () =>
      (await stack.log('consumer')).includes('browser@example.com'),
    );
  });

  test('without an error on any page', async () => {
    const { page, errors } = window;
    for (const path of ['/', '/changes', '/reviews', '/users']) {
      await page.goto(stack.http('console') + path);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
    }
    // The wrong password was answered 401, which the browser logs by itself.
    assert.deepEqual(
      errors.filter(text => !text.includes('401')),
      [],
    );
  });
});
