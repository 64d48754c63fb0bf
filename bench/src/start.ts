import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@tidemark/kernel';
import { measureOk } from './commands.ts';
import { spread, writeResult } from './report.ts';

/**
 * Time from a clean copy to a ready stack (packages cached by npm), time of a warm start, and the memory of the idle
 * stack, by service.
 */
const repository = fileURLToPath(new URL('../../', import.meta.url));
const portOffset = 20_000;
/** How long the stack stands idle before its memory is read, milliseconds. */
const idleMs = 20_000;
const coldRuns = 3;
const warmRuns = 5;

interface Status {
  readonly services: readonly { readonly name: string; readonly memoryBytes: number | null }[];
  readonly supervisor: { readonly pid: number };
}

function copyTree(to: string): void {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  });
  for (const file of files.split('\n').filter(Boolean)) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(repository, file), join(to, file));
  }
}

async function once(kind: 'cold' | 'warm', home: string): Promise<number> {
  const command = kind === 'cold' ? './run.sh' : './tidemark';
  const args = kind === 'cold' ? ['--detach'] : ['up', '--detach'];
  const { tookMs } = await measureOk(command, [...args, '--port-offset', String(portOffset)], home);
  return tookMs / 1000;
}

const down = (home: string) => measureOk('./tidemark', ['down'], home);

const cold: number[] = [];
const warm: number[] = [];
const stops: number[] = [];
let memory: Record<string, number> = {};
for (let run = 0; run < coldRuns; run += 1) {
  const home = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  await chmod(home, 0o755);
  copyTree(home);
  try {
    cold.push(await once('cold', home));
    if (run === coldRuns - 1) {
      await systemClock.sleep(idleMs);
      memory = await readMemory(home);
      for (let again = 0; again < warmRuns; again += 1) {
        stops.push((await down(home)).tookMs / 1000);
        warm.push(await once('warm', home));
      }
    }
  } finally {
    await down(home);
    await measureOk('./tidemark', ['reset', '--yes'], home);
    await rm(home, { recursive: true, force: true });
  }
}

async function readMemory(home: string): Promise<Record<string, number>> {
  const { output } = await measureOk('./tidemark', ['status', '--json'], home);
  const { services } = JSON.parse(output) as Status;
  const megabytes = services.map(
    ({ name, memoryBytes }) => [name, Math.round((memoryBytes ?? 0) / 1e6)] as const,
  );
  return Object.fromEntries(megabytes);
}

const together = Object.values(memory).reduce((sum, value) => sum + value, 0);
const result = {
  coldSeconds: spread(cold),
  warmSeconds: spread(warm),
  stopSeconds: spread(stops),
  idleMegabytes: { ...memory, together },
  notes:
    'cold: clean copy, npm ci from the cache, console build, initdb, migrations, until ready. Memory is the proportional set size after 20 s idle, MB = 10^6 bytes.',
};
process.stdout.write(
  `${JSON.stringify(result, null, 2)}\n${await writeResult('start', 'node bench/src/start.ts', result)}\n`,
);
