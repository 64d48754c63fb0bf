import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Available, available } from '../availability.ts';
import { cached, download } from '../cache.ts';
import type { TrialProgram } from './trial.ts';

/** A trial written in Python, run by an interpreter that has the pinned clients. */
export function pythonTrial(file: string): Promise<Available<TrialProgram>> {
  return available('the Python clients', ['python3'], async () => {
    const requirements = fileURLToPath(new URL('./python/requirements.txt', import.meta.url));
    const folder = await cached('python-clients', requirements, async target => {
      await download('python3', ['-m', 'venv', target]);
      await download(join(target, 'bin/python'), [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--only-binary=:all:',
        `--requirement=${requirements}`,
      ]);
    });
    const program = fileURLToPath(new URL(`./python/${file}`, import.meta.url));
    return { command: join(folder, 'bin/python'), args: ['-B', program] }; // -B: leave no compiled files behind
  });
}
