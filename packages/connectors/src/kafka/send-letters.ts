import { createHash } from 'node:crypto';
import { findErrorBy } from '@platformatic/kafka';
import { omittedPayloadHeader } from '@tidemark/contracts/names';
import type { MessageSender, OutgoingMessage, SendOptions } from './kafka-producer.ts';

/**
 * Sends dead letters, whatever their size. The topic of dead letters is made to take larger messages than others; where it
 * does not (it was created elsewhere, or the record just fits its own topic and the headers are too much), a letter that the
 * broker refuses as too large goes without its value. It then says how large that is and its SHA-256; topic, partition and
 * offset say where to read it. Trying for ever would hold up everything behind it.
 */
export async function sendLetters(
  sender: Pick<MessageSender, 'send'>,
  letters: readonly OutgoingMessage[],
  options: SendOptions = {},
): Promise<void> {
  try {
    await sender.send(letters, options);
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    const [only, ...others] = letters;
    if (only === undefined) throw error;
    if (others.length === 0) {
      if (only.value === undefined) throw error;
      await sender.send([withoutValue(only, only.value)]);
      return;
    }
    for (const letter of letters) await sendLetters(sender, [letter], options); // one after the other: their order counts
  }
}

/** Errors of a request may stand inside others. */
function isTooLarge(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'].some(id => findErrorBy(error, 'apiId', id) !== null);
}

function withoutValue(letter: OutgoingMessage, value: Buffer): OutgoingMessage {
  const sha256 = createHash('sha256').update(value).digest('hex');
  const note = Buffer.from(`${value.length} bytes, sha256 ${sha256}`);
  return {
    ...letter,
    value: undefined,
    headers: [...(letter.headers ?? []), [Buffer.from(omittedPayloadHeader), note]],
  };
}
