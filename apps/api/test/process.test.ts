import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Session } from '@tidemark/contracts';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { EventClient } from './event-client.ts';
import { seedAdmin } from './running-api.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

describe('the api as a process', () => {
  let postgres: TestPostgres;
  const children: ChildProcess[] = [];

  before(async () => {
    postgres = await startPostgres({ migrated: true });
    await seedAdmin(postgres);
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await postgres.stop();
  });

  function launch(env: Record<string, string>) {
    const child = spawn(process.execPath, [main], {
      env: { PATH: '', API_ADDR: '127.0.0.1:0', DATABASE_URL: postgres.url, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  }

  test('drains on SIGTERM: live feeds are told, and it ends with code 0', async () => {
    const child = launch({});
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const url = await eventually('it listens', () => /"url":"([^"]+)"/.exec(output)?.[1]);
    const answer = await fetch(`${url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'admin@example.com', password: 'admin123' }),
    });
    const { token } = (await answer.json()) as Session;
    const client = await EventClient.open(`${url}/api/changes/stream`, { authorization: `Bearer ${token}` });
    const exited = once(child, 'exit');
    const begin = performance.now();
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
    assert.ok(performance.now() - begin < 5000);
    await eventually('the feed ended', () => client.ended);
    assert.equal(client.events.at(-1)?.data, '{"reason":"stopping"}');
  });

  test('says in one line why it does not start, without a stack', async () => {
    const exposed = launch({ API_ADDR: ':0' });
    const [why, [code]] = await Promise.all([text(exposed.stderr), once(exposed, 'exit')]);
    assert.equal(code, 1);
    assert.match(
      why,
      /^api: admin@example\.com still has the default password, .*\n {2}Change the password .*\n$/,
    );

    const misconfigured = launch({ API_ADDR: 'nowhere', BCRYPT_COST: '4' });
    const [faults] = await Promise.all([text(misconfigured.stderr), once(misconfigured, 'exit')]);
    assert.match(
      faults,
      /^api: API_ADDR must look like .*; BCRYPT_COST must lie between 10 and 16, not "4"\n/,
    );
    assert.doesNotMatch(faults, /\n {4}at /);
  });
});
