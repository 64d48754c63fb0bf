import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { alertNames } from '../src/alerts/index.ts';
import { repository } from './metric-names.ts';

/** The statements that a runbook tells people to look with, as a shell hands them to psql. */
function statementsOf(name: string): readonly string[] {
  const text = readFileSync(join(repository, `runbooks/${name}.md`), 'utf8');
  return [...text.matchAll(/^psql \S+ -c "([^"]+)"/gm)].map(match => match[1] ?? '');
}

describe('what runbooks ask the database', () => {
  let postgres: TestPostgres;

  before(async () => {
    postgres = await startPostgres({ migrated: true });
  });
  after(() => postgres.stop());

  test('is answered by the schema as it is now', async () => {
    const failed: string[] = [];
    let asked = 0;
    for (const name of alertNames) {
      for (const statement of statementsOf(name)) {
        asked += 1;
        await postgres.query(statement).catch((error: unknown) => {
          failed.push(`${name}: ${String(error)}\n${statement}`);
        });
      }
    }
    assert.deepEqual(failed, []);
    assert.ok(asked > 20, `${asked} statements were found`);
  });

  test('changes nothing: it only looks', () => {
    for (const name of alertNames) {
      for (const statement of statementsOf(name)) assert.match(statement, /^(?:SELECT|SHOW) /, name);
    }
  });
});
