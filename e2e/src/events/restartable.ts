import type { ChildProcess } from 'node:child_process';
import { endProcess } from '@tidemark/testkit';

/** A process that scenarios end and start again. None is left behind when the tests' own process ends. */
export class Restartable {
  readonly #launch: () => Promise<ChildProcess>;
  #child: ChildProcess | undefined;

  /** @param launch starts the process and resolves once it serves */
  constructor(launch: () => Promise<ChildProcess>) {
    this.#launch = launch;
    process.once('exit', this.#kill);
  }

  async start(): Promise<void> {
    this.#child = await this.#launch();
  }

  /** Ends it with this signal and starts it again. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    await this.#end(signal);
    await this.start();
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child) await endProcess(this.#child, signal);
  }

  readonly #kill = () => void this.#child?.kill('SIGKILL');
}
