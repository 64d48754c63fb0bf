import { TidemarkError } from '@tidemark/kernel';
import { lz4Magic, uncompressedLz4 } from './lz4.ts';
import { blockStart, uncompressedSnappy, xerialMagic } from './snappy.ts';

/** Larger than any message that a broker takes by default; a longer one is a mistake or an attack. */
const bytesMax = 256 * 1024 * 1024;

const openingBrace = 0x7b;

/**
 * The message without the compression that TiCDC puts around values (`large-message-handle-compression`): an LZ4 frame,
 * or Snappy, with or without the frame of xerial. Nothing beside the bytes says which, so they are recognised: a
 * Canal-JSON message begins with a brace and a quotation mark, an LZ4 frame and xerial's by numbers of their own, and a
 * Snappy block by the length of what follows and a literal that begins with a brace.
 * @throws TidemarkError `CANAL_JSON_COMPRESSION` when what is recognised cannot be read
 */
export function uncompressed(message: Uint8Array): Uint8Array {
  if (startsWith(message, lz4Magic)) return attempt('LZ4', () => uncompressedLz4(message, bytesMax));
  if (startsWith(message, xerialMagic) || looksLikeSnappy(message)) {
    return attempt('Snappy', () => uncompressedSnappy(message, bytesMax));
  }
  return message;
}

function startsWith(message: Uint8Array, magic: Uint8Array): boolean {
  return message[0] === magic[0] && magic.every((byte, at) => message[at] === byte);
}

function looksLikeSnappy(message: Uint8Array): boolean {
  const literal = blockStart(message);
  return literal !== undefined && message[literal] === openingBrace;
}

function attempt(name: string, work: () => Uint8Array): Uint8Array {
  try {
    return work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TidemarkError(
      'CANAL_JSON_COMPRESSION',
      `the message looks like ${name} and is not: ${reason}`,
      {
        hint: 'The message was cut or changed on its way.',
      },
    );
  }
}
