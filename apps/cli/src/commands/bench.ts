import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { exitCodes, TidemarkError } from '@tidemark/kernel';
import type { Command, CommandContext, CommandInput, OptionSpec } from '../command.ts';

/** One entry of `bench/benchmarks.json`, the table that says which benchmarks there are. */
interface Benchmark {
  /** `bench/src/<name>.ts` runs it. */
  readonly name: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
}

const folder = fileURLToPath(new URL('../../../../bench/', import.meta.url));

/** Lists the benchmarks, or runs one; each is a program of its own, which the command knows by the table only. */
export const bench: Command = {
  name: 'bench',
  positionals: ['[NAME]'],
  summary: 'run a benchmark, or list them',
  options: {},
  members: async () => (await readTable()).map(asCommand),
  async run(_input, { terminal }) {
    for (const { name, summary } of await readTable()) terminal.print(`  ${name.padEnd(10)} ${summary}`);
    terminal.print();
    terminal.print('  Results go to bench/results. `tidemark bench NAME --help` shows the options of one.');
    return exitCodes.ok;
  },
};

async function readTable(): Promise<readonly Benchmark[]> {
  const path = `${folder}benchmarks.json`;
  try {
    return JSON.parse(await readFile(path, 'utf8')) as readonly Benchmark[];
  } catch (cause) {
    throw new TidemarkError('BENCHMARKS_MISSING', `the table of benchmarks ${path} cannot be read`, {
      cause,
      hint: 'Benchmarks come with the repository: run the command from a whole copy of it.',
    });
  }
}

function asCommand({ name, summary, options }: Benchmark): Command {
  return {
    name: `bench ${name}`,
    summary,
    options,
    run: (input, context) => runBenchmark(name, given(options, input), context),
  };
}

/** The options as they came, for the program that reads them again. */
function given(options: Benchmark['options'], input: CommandInput): readonly string[] {
  return Object.entries(options).flatMap(([option, { type }]) => {
    if (type === 'boolean') return input.flag(option) ? [`--${option}`] : [];
    const value = input.text(option);
    return value === undefined ? [] : [`--${option}=${value}`];
  });
}

/** The benchmark speaks for itself: its output and its exit code are the command's. */
function runBenchmark(
  name: string,
  args: readonly string[],
  { env, interrupted, impatient }: CommandContext,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`${folder}src/${name}.ts`, ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...env },
    });
    const end = () => void child.kill('SIGTERM');
    const kill = () => void child.kill('SIGKILL');
    interrupted.addEventListener('abort', end, { once: true });
    impatient.addEventListener('abort', kill, { once: true });
    child.once('error', reject);
    child.once('exit', code => resolve(code ?? exitCodes.failed));
  });
}
