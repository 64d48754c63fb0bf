import { createServer } from 'node:net';
import { errorCode, TidemarkError } from '@tidemark/kernel';
import type { Step } from '../supervisor/step.ts';
import { loopback } from './addresses.ts';

/**
 * Makes sure that every port of the stack is free before anything starts.
 * @throws TidemarkError PORT_TAKEN naming all that are not
 */
export async function checkPortsFree(steps: readonly Step[]): Promise<void> {
  const taken: string[] = [];
  for (const step of steps) {
    if (step.kind !== 'service') continue;
    for (const port of step.ports) if (!(await isFree(port))) taken.push(`${port} (${step.name})`);
  }
  if (taken.length === 0) return;
  const [ports, are] = taken.length === 1 ? ['port', 'is'] : ['ports', 'are'];
  throw new TidemarkError('PORT_TAKEN', `${ports} ${taken.join(', ')} ${are} taken by another program`, {
    hint: 'Stop that program, or move the whole stack with --port-offset 100.',
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', error => {
      if (errorCode(error) === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    probe.listen(port, loopback, () => probe.close(() => resolve(true)));
  });
}
