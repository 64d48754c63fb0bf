import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Available, available } from '../availability.ts';
import { cached, download } from '../cache.ts';
import type { TrialProgram } from './trial.ts';

/** A trial written in Python, run by an interpreter that has the pinned clients. */
export async function pythonTrial(file: string): Promise<Available<TrialProgram>> {
  const interpreter = await available('the Python clients', ['python3'], fetchClients);
  if (interpreter.skip !== false) return interpreter;
  const program = fileURLToPath(new URL(`./python/${file}`, import.meta.url));
  // -B: leave no compiled files behind.
  return { skip: false, value: { command: interpreter.value, args: ['-B', program] } };
}

/** Path of a Python interpreter in an environment of its own. */
async function fetchClients(): Promise<string> {
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
  return join(folder, 'bin/python');
}
