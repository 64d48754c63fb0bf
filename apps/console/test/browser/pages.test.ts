import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seriousViolations } from './axe.ts';
import { pages, unavailable } from './sample-pages.ts';
import { browserSuite, skip } from './suite.ts';

describe('every page in a browser', { skip }, () => {
  const { harness, open, shows } = browserSuite();

  for (const { path, data, empty, source, error } of pages) {
    for (const theme of ['light', 'dark'] as const) {
      test(`${path} is accessible with data, without, and broken (${theme})`, async () => {
        const full = await open(path, { width: 1440, theme });
        await shows(full, data);
        assert.deepEqual(await seriousViolations(full), []);

        harness().mock.mood.empty = true;
        const bare = await open(path, { width: 1440, theme });
        await shows(bare, empty);
        assert.deepEqual(await seriousViolations(bare), []);

        harness().mock.mood.empty = false;
        harness().mock.mood.failures.set(source, unavailable);
        const broken = await open(path, { width: 390, theme });
        await shows(broken, error);
        await shows(broken, 'The database does not answer.');
        assert.deepEqual(await seriousViolations(broken), []);
        harness().mock.mood.failures.clear();
        await broken.getByRole('button', { name: 'Try again' }).first().click();
        await shows(broken, data);
      });
    }

    test(`${path} shows that it is loading and fits 390 pixels`, async () => {
      harness().mock.mood.silent.add(source);
      const waiting = await open(path, { width: 390 });
      await waiting.locator('.skeleton').first().waitFor();
      harness().mock.mood.silent.clear();
      const page = await open(path, { width: 390 });
      await shows(page, data);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      assert.equal(overflow, 0, 'no sideways scrolling');
      assert.deepEqual(await seriousViolations(page), []);
    });
  }

  test('tables with many columns scroll by themselves at 390 pixels', async () => {
    const page = await open('/', { width: 390 });
    await page.getByRole('button', { name: /changes-to-store/ }).click();
    await page.getByRole('region', { name: 'Partitions of changes-to-store' }).waitFor();
    assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0);
    assert.deepEqual(await seriousViolations(page), []);
  });
});
