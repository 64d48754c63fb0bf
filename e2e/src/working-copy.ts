import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repository } from './stack.ts';

/** The repository as somebody who has just cloned it has it, with what is not committed yet: no packages, no data. */
export async function copyRepository(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-clone-'));
  chmodSync(folder, 0o755);
  const options = { cwd: repository, encoding: 'utf8' } as const;
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], options).split('\n');
  const deleted = new Set(execFileSync('git', ['ls-files', '-d'], options).split('\n'));
  for (const file of listed) {
    if (deleted.has(file)) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(repository, file), join(folder, file));
  }
  return folder;
}
