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
  produce: async () => (await import('./commands/produce.ts')).produceCommand,
  lag: async () => (await import('./commands/lag.ts')).lag,
  dlq: async () => (await import('./commands/dlq.ts')).dlq,
  audit: async () => (await import('./commands/audit.ts')).audit,
  broker: async () => (await import('./commands/broker.ts')).broker,
  bench: async () => (await import('./commands/bench.ts')).bench,
  changefeed: async () => (await import('./commands/changefeed.ts')).changefeed,
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

interface Called {
  readonly command: Command;
  /** What is left for the command to read. */
  readonly args: readonly string[];
}

/** The command that the arguments name, which may be one below another: `bench broker`. */
async function findCalled(name: string, args: readonly string[]): Promise<Called> {
  const command = await findCommand(name)();
  const [first, ...rest] = args;
  if (!command.members || first === undefined || first.startsWith('-')) return { command, args };
  const members = await command.members();
  const member = members.find(candidate => candidate.name === `${name} ${first}`);
  if (member) return { command: member, args: rest };
  const names = members.map(candidate => candidate.name.slice(name.length + 1));
  throw new TidemarkError('USAGE', `there is no ${name} ${first}`, {
    hint: `There are ${names.join(', ')}.`,
  });
}

async function dispatch(args: readonly string[], context: CommandContext): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const [about, ...below] = rest;
    if (about === undefined) await printCommands(context);
    else await printHelp(context, (await findCalled(about, below)).command);
    return exitCodes.ok;
  }
  const { command, args: left } = await findCalled(name, rest);
  if (left.includes('--help') || left.includes('-h')) {
    await printHelp(context, command);
    return exitCodes.ok;
  }
  return command.run(readInput(command, left), context);
}

async function printHelp({ terminal }: CommandContext, command: Command): Promise<void> {
  terminal.print(`Usage: ${usageLine(command)}`);
  terminal.print();
  terminal.print(`  ${command.summary}`);
  terminal.print();
  for (const [option, { value, doc }] of Object.entries(command.options)) {
    terminal.print(`  ${`--${option} ${value ?? ''}`.padEnd(22)} ${doc}`);
  }
  for (const member of (await command.members?.()) ?? []) {
    terminal.print(`  ${member.name.padEnd(22)} ${member.summary}`);
  }
}

async function printCommands({ terminal }: CommandContext): Promise<void> {
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
