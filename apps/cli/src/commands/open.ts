import { spawn } from 'node:child_process';
import { exitCodes } from '@tidemark/kernel';
import { type Command, dataOption } from '../command.ts';
import { addressesOf } from '../stack/addresses.ts';
import { notRunning, viewStack } from './stack-command.ts';

/** Opens the console in the browser. */
export const open: Command = {
  name: 'open',
  summary: 'open the console in the browser',
  options: { data: dataOption },
  async run(input, { terminal, env }) {
    const { folder, state, supervisor } = await viewStack(input);
    if (!state || !supervisor) throw notRunning(folder);
    const address = addressesOf(state.portOffset, env).browse('console');
    terminal.print(`  ${address}`);
    if (!(await openBrowser(address)))
      terminal.print('  No browser could be started; open the address yourself.');
    return exitCodes.ok;
  },
};

/** Some openers stay until the browser is closed; one that has not failed by then has done its work, milliseconds. */
const openerFailsWithinMs = 2000;

function openBrowser(address: string): Promise<boolean> {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  return new Promise(resolve => {
    const child = spawn(opener, [address], { stdio: 'ignore', detached: true });
    const working = setTimeout(() => {
      child.unref();
      resolve(true);
    }, openerFailsWithinMs);
    const answer = (opened: boolean) => {
      clearTimeout(working);
      resolve(opened);
    };
    child.once('error', () => answer(false));
    child.once('exit', code => answer(code === 0));
  });
}
