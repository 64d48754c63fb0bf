import { TidemarkError } from '@tidemark/kernel';
import type { Command, CommandContext, CommandInput } from '../command.ts';
import { dataOption } from '../command.ts';
import { dataFolder, defaultDataFolder } from '../data-folder.ts';
import { portOffsetMax } from '../stack/addresses.ts';
import { withDatabase } from '../stack/database.ts';
import { runStack } from '../stack/run-stack.ts';
import { stackSteps } from '../stack/services.ts';
import { welcome } from '../stack/welcome.ts';
import { detach, sourceVariable } from './detach.ts';

/** Brings the stack up and keeps it running. */
export const up: Command = {
  name: 'up',
  summary: 'start everything and keep it running (Ctrl-C stops it)',
  options: {
    detach: { type: 'boolean', short: 'd', doc: 'return once everything is ready' },
    data: dataOption,
    'port-offset': { type: 'string', value: 'N', doc: 'add N to every port' },
    source: {
      type: 'string',
      value: 'URL',
      doc: 'capture this PostgreSQL too: postgres://user:password@host/database',
    },
    only: { type: 'string', value: 'a,b', doc: 'only these services and what they need' },
  },
  async run(input, context) {
    const stack = readStack(input, context);
    if (stack.source !== undefined) await checkSource(stack.source);
    if (input.flag('detach')) return detach(input, context);
    return runStack(stack, context, () => welcome({ ...stack, env: context.env }));
  },
};

function readStack(input: CommandInput, { env }: CommandContext) {
  const folder = dataFolder(input.text('data') ?? defaultDataFolder);
  const portOffset = input.integer('port-offset', 0, portOffsetMax);
  const only = input
    .text('only')
    ?.split(',')
    .map(name => name.trim());
  const source = readSource(input.text('source') ?? env[sourceVariable]);
  return { folder, portOffset, source, steps: stackSteps({ folder, portOffset, only, source, env }) };
}

/** A mistyped address is told at once, and not by a changefeed that waits for it. */
async function checkSource(url: string): Promise<void> {
  await withDatabase(url, client => client.query('SELECT 1')).catch((cause: unknown) => {
    const { host, pathname } = new URL(url);
    throw new TidemarkError('SOURCE_UNREACHABLE', `the source ${host}${pathname} does not let us in`, {
      cause,
      hint: 'Check that the server runs, that it can be reached from here, and the user and password.',
    });
  });
}

/** A value that is no URL can still be a password, so it is not repeated. */
function readSource(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isDatabase = url !== undefined && /^postgres(?:ql)?:$/.test(url.protocol) && url.pathname.length > 1;
  if (isDatabase && url.hostname !== '') return text;
  throw new TidemarkError('USAGE', '--source takes the URL of a PostgreSQL database', {
    hint: 'Example: --source postgres://user:password@db.example.com:5432/shop',
  });
}
