import { connect, createServer } from 'node:net';
import { errorCode, TidemarkError } from '@tidemark/kernel';
import type { Step } from '../supervisor/step.ts';
import { loopback } from './addresses.ts';

/** Loopback answers or refuses at once; a firewall that swallows the question is no answer, milliseconds. */
const answerWithinMs = 500;

/**
 * Makes sure that every port of the stack is free before anything starts.
 * @throws TidemarkError PORT_TAKEN naming all that are not
 */
export async function checkPortsFree(steps: readonly Step[]): Promise<void> {
  const wanted = steps.flatMap(step =>
    step.kind === 'service' ? step.ports.map(port => ({ port, name: step.name })) : [],
  );
  const free = await Promise.all(wanted.map(({ port }) => isFree(port)));
  const taken = wanted.filter((_, index) => !free[index]).map(({ port, name }) => `${port} (${name})`);
  if (taken.length === 0) return;
  const [ports, are] = taken.length === 1 ? ['port', 'is'] : ['ports', 'are'];
  throw new TidemarkError('PORT_TAKEN', `${ports} ${taken.join(', ')} ${are} taken by another program`, {
    hint: 'Stop that program, or move the whole stack with --port-offset 100.',
  });
}

/**
 * Free is a port on which we can listen and nobody answers. The second question is not idle: a program that listens
 * on every address, or on ::1 only, does not keep us from listening on 127.0.0.1 everywhere, and would then be what
 * people meet at http://localhost.
 */
async function isFree(port: number): Promise<boolean> {
  const answers = await Promise.all([loopback, '::1'].map(host => somebodyAnswers(port, host)));
  return !answers.includes(true) && (await canListen(port));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', error => {
      if (errorCode(error) === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    probe.listen(port, loopback, () => probe.close(() => resolve(true)));
  });
}

function somebodyAnswers(port: number, host: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = connect({ port, host });
    const answer = (answers: boolean) => {
      probe.destroy();
      resolve(answers);
    };
    probe.setTimeout(answerWithinMs, () => answer(false));
    probe.once('connect', () => answer(true));
    probe.once('error', () => answer(false));
  });
}
