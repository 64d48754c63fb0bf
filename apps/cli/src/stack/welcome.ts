import { relative } from 'node:path';
import { defaultAccount, topics } from '@tidemark/contracts';
import type { DataFolder } from '../data-folder.ts';
import type { Step } from '../supervisor/step.ts';
import { addressesOf } from './addresses.ts';

export interface WelcomeOptions {
  readonly steps: readonly Step[];
  readonly portOffset: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: DataFolder;
  readonly source?: string | undefined;
}

/** What is printed once the stack is ready: addresses, credentials, and three things to try. */
export function welcome({ steps, portOffset, env, folder, source }: WelcomeOptions): readonly string[] {
  const at = addressesOf(portOffset, env);
  const runs = (name: string) => steps.some(step => step.name === name);
  const account = `${defaultAccount.email} / ${defaultAccount.password}`;
  const rows: [string, string, string, string][] = [
    ['console', 'Console', at.browse('console'), account],
    ['api', 'API', `${at.browse('api')}/api/docs`, 'the same account'],
    ['producer', 'Producer', at.browse('producer'), ''],
    ['consumer', 'Consumer', `${at.browse('consumer')}/metrics`, ''],
    ['capture', 'Capture', `${at.browse('capture')}/api/v2/changefeeds`, 'TiCDC OpenAPI'],
    ['broker', 'Kafka', at.brokers, 'no TLS, no password'],
    ['postgres', 'PostgreSQL', at.databaseUrl, ''],
  ];
  if (source !== undefined) rows.push(['capture', 'Source', placeOf(source), 'see tidemark changefeed list']);
  const table = rows
    .filter(([service]) => runs(service))
    .map(([, name, address, note]) => `  ${name.padEnd(11)} ${address.padEnd(56)} ${note}`.trimEnd());
  const data = relative(process.cwd(), folder.root) || '.';
  return ['', ...table, `  ${'Data'.padEnd(11)} ${data}`, '', ...(runs('console') ? suggestions(at) : [])];
}

/** Where a database is, without who signs in. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `postgres://${host}${pathname}`;
}

function suggestions(at: ReturnType<typeof addressesOf>): readonly string[] {
  return [
    '  Three things to try:',
    `  1. Open ${at.browse('console')}, sign in, add a user: the change appears under Changes at once.`,
    `  2. psql ${at.databaseUrl} \\`,
    `       -c "INSERT INTO users (email) VALUES ('first@example.com')"`,
    `  3. kcat -b ${at.brokers} -t ${topics.changes} -C -o beginning -c 1`,
  ];
}
