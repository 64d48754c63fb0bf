import type { CommandContext, ParentMessage } from './command.ts';
import { type SignalSource, watchInterruption } from './interruption.ts';
import { processTerminal } from './terminal.ts';

/** The parts of `process` that a command line needs; `main.ts` passes the real one. */
export interface CommandHost extends SignalSource {
  readonly argv: readonly string[];
  readonly connected?: boolean;
  send?(message: ParentMessage, callback: () => void): unknown;
  exit(code: number): unknown;
}

/** Runs a command as a process: terminal, signals and exit code. */
export async function runCommandLine(
  host: CommandHost,
  run: (args: readonly string[], context: CommandContext) => Promise<number>,
): Promise<void> {
  const { stdin, stdout, stderr, env } = host;
  const parent = host.send && {
    // The command that waits for us may be gone by now; a detached stack goes on without it.
    send: (message: ParentMessage) => void (host.connected && host.send?.(message, () => {})),
  };
  const context: CommandContext = {
    terminal: processTerminal({
      stdin,
      stdout,
      stderr,
      noColour: Boolean(env['NO_COLOR']),
      dumb: env['TERM'] === 'dumb',
    }),
    env,
    ...watchInterruption(host),
    parent,
  };
  const code = await run(host.argv.slice(2), context);
  // Streams that are pipes may still hold text; an exit now would cut it off.
  await Promise.all([stdout, stderr].map(stream => new Promise(resolve => stream.write('', resolve))));
  host.exit(code);
}
