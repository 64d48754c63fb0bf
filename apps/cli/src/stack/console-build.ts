import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { TidemarkError } from '@tidemark/kernel';

/** Builds the console where its sources changed since the last build; answers what was done. */
export function buildConsole(repository: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(repository, 'apps/console/src/build.ts')], {
      cwd: join(repository, 'apps/console'),
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', code => {
      const lastLine = output.trim().split('\n').at(-1) ?? '';
      if (code === 0) resolve(lastLine);
      else
        reject(new TidemarkError('CONSOLE_BUILD_FAILED', `the console could not be built: ${output.trim()}`));
    });
  });
}
