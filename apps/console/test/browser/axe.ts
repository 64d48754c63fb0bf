import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2 AA and what it builds on. */
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

interface Result {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/**
 * What axe finds wrong on the page at this moment, serious and critical, one line each. It is evaluated and not
 * added as a script, which the page's Content Security Policy would refuse.
 */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(source);
  const options = JSON.stringify({ runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] });
  const result = await page.evaluate<Result>(`axe.run(document, ${options})`);
  return result.violations
    .filter(violation => violation.impact === 'serious' || violation.impact === 'critical')
    .flatMap(violation =>
      violation.nodes.map(node => `${violation.id}: ${node.html} ${node.failureSummary ?? ''}`),
    );
}
