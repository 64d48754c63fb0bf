import type { Actor, DeadLetterDesk } from './dead-letter-desk.ts';
import type { ParkedLetters } from './parked-letters.ts';

const actor: Actor = { name: 'tidemark', why: 'what it was held back behind has been dealt with' };
const lettersMax = 1000;

/**
 * Sends back, in order, the letters that nothing holds back any more, and releases the keys that are done with. To be
 * repeated: what comes in between is held back again and sent back the next time. Two at a time do no harm, as a letter
 * that comes twice is recognised by its event's id. Resolves with how many were sent.
 */
export async function releaseParked(desk: DeadLetterDesk, parked: ParkedLetters): Promise<number> {
  await parked.reconcile();
  const ids = await parked.freed(lettersMax);
  if (ids.length === 0) return 0;
  const { sent } = await desk.replay({ ids }, actor, { eventsPerSec: 1000 });
  return sent.length;
}
