import { exitCodes, explainError, isTidemarkError, TidemarkError } from '@tidemark/kernel';
import { type Command, type CommandContext, readInput, usageLine } from './command.ts';

/** Commands by name; each is loaded only when it is used, so that `tidemark status` does not load a broker. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./commands/up.ts')).up,
  down: async () => (await import('./commands/down.ts')).down,
  status: async () => (await import('./commands/status.ts')).status,
  logs: async () => (await import('./commands/logs.ts')).logs,
  open: async () => (await import('./commands/open.ts')).open,
  reset: async () => (await import('./commands/reset.ts')).reset,
  'verify-password': async () => (await import('./commands/verify-password.ts')).verifyPassword,
  broker: async () => (await import('./commands/broker.ts')).broker,
};

/** Runs the command that the arguments name; answers with the exit code. */
export async function runCli(args: readonly string[], context: CommandContext): Promise<number> {
  try {
    return await dispatch(args, context);
  } catch (error) {
    context.terminal.warn(`tidemark: ${explainError(error)}`);
    context.parent?.send({ kind: 'failed', text: `tidemark: ${explainError(error)}` });
    return isTidemarkError(error) && usageErrors.has(error.code) ? exitCodes.usage : exitCodes.failed;
  }
}

/** Codes of errors that are about how the command was called. */
const usageErrors: ReadonlySet<string> = new Set(['USAGE', 'SERVICE_UNKNOWN']);

function findCommand(name: string): () => Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load) return load;
  throw new TidemarkError('USAGE', `there is no command ${name}`, { hint: 'See `tidemark help`.' });
}

async function dispatch(args: readonly string[], context: CommandContext): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    await printHelp(context, rest[0]);
    return exitCodes.ok;
  }
  const command = await findCommand(name)();
  if (rest.includes('--help') || rest.includes('-h')) {
    await printHelp(context, name);
    return exitCodes.ok;
  }
  return command.run(readInput(command, rest), context);
}

async function printHelp({ terminal }: CommandContext, name: string | undefined): Promise<void> {
  if (name !== undefined) {
    const command = await findCommand(name)();
    terminal.print(`Usage: ${usageLine(command)}`);
    terminal.print();
    terminal.print(`  ${command.summary}`);
    terminal.print();
    for (const [option, { value, doc }] of Object.entries(command.options)) {
      terminal.print(`  ${`--${option} ${value ?? ''}`.padEnd(22)} ${doc}`);
    }
    return;
  }
  terminal.print('Usage: tidemark COMMAND [OPTIONS]');
  terminal.print();
  for (const load of Object.values(commands)) {
    const command = await load();
    const head = [command.name, ...(command.positionals ?? [])].join(' ');
    terminal.print(`  ${head.padEnd(24)} ${command.summary}`);
  }
  terminal.print();
  terminal.print('  tidemark help COMMAND shows the options of a command.');
}
