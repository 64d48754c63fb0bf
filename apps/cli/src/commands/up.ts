import type { Command, CommandContext, CommandInput } from '../command.ts';
import { dataOption } from '../command.ts';
import { dataFolder, defaultDataFolder } from '../data-folder.ts';
import { portOffsetMax } from '../stack/addresses.ts';
import { runStack } from '../stack/run-stack.ts';
import { stackSteps } from '../stack/services.ts';
import { welcome } from '../stack/welcome.ts';
import { detach } from './detach.ts';

/** Brings the stack up and keeps it running. */
export const up: Command = {
  name: 'up',
  summary: 'start everything and keep it running (Ctrl-C stops it)',
  options: {
    detach: { type: 'boolean', short: 'd', doc: 'return once everything is ready' },
    data: dataOption,
    'port-offset': { type: 'string', value: 'N', doc: 'add N to every port' },
    only: { type: 'string', value: 'a,b', doc: 'only these services and what they need' },
  },
  run(input, context) {
    const stack = readStack(input, context);
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
  return { folder, portOffset, steps: stackSteps({ folder, portOffset, only, env }) };
}
