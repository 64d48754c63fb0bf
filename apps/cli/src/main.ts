import { runCli } from './cli.ts';
import type { ParentMessage } from './command.ts';
import { processTerminal } from './terminal.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interruption.abort(new Error(signal)));
}

const send = process.send?.bind(process);
const parent = send && {
  // The command that waits for us may be gone by now; a detached stack goes on without it.
  send: (message: ParentMessage) => void (process.connected && send(message, () => {})),
};
const { stdin, stdout, stderr, env } = process;
const terminal = processTerminal({ stdin, stdout, stderr, noColour: Boolean(env['NO_COLOR']) });

const code = await runCli(process.argv.slice(2), { terminal, env, interrupted: interruption.signal, parent });
// Streams that are pipes may still hold text; an exit now would cut it off.
await Promise.all([stdout, stderr].map(stream => new Promise(resolve => stream.write('', resolve))));
process.exit(code);
