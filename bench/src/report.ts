import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Five numbers that say how several runs of one measurement came out. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly runs: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    min: sorted[0] ?? Number.NaN,
    median: quantile(sorted, 0.5),
    max: sorted.at(-1) ?? Number.NaN,
    runs: sorted.length,
  };
}

/** The value below which a share `q` of the sorted values lies (nearest rank). */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** What a reader needs to judge the numbers. */
export function describeMachine(): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
  };
}

/** Where results are kept. */
export const results = fileURLToPath(new URL('../results/', import.meta.url));

/** What was measured before, when there is a result of that name. */
export async function readResult<T>(name: string): Promise<T | undefined> {
  const text = await readFile(`${results}${name}.json`, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** Writes `bench/results/<name>.json`, with the machine and the command that made it. */
export async function writeResult(name: string, command: string, result: object): Promise<string> {
  await mkdir(results, { recursive: true });
  const file = `${results}${name}.json`;
  const report = { name, command, at: new Date().toISOString(), machine: describeMachine(), ...result };
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
  return file;
}
