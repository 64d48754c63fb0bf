import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { TidemarkError } from '@tidemark/kernel';

/** Keeps texts that hold credentials so that reading the table of changefeeds does not reveal them. */
export interface SecretBox {
  seal(text: string): string;
  /** @throws TidemarkError `SECRET_UNREADABLE` when it was sealed with another key */
  open(kept: string): string;
}

/** What sealed texts begin with; no URI does. */
const mark = 'sealed:1:';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM under the hash of the given secret. Without one, texts are kept as they are, and what was sealed earlier
 * cannot be read.
 */
export function secretBox(secret: string | undefined): SecretBox {
  const key = secret === undefined ? undefined : createHash('sha256').update(secret).digest();
  return {
    seal: text => (key === undefined ? text : sealed(key, text)),
    open: kept => (kept.startsWith(mark) ? opened(key, kept.slice(mark.length)) : kept),
  };
}

function sealed(key: Buffer, text: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return mark + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
}

function opened(key: Buffer | undefined, text: string): string {
  const bytes = Buffer.from(text, 'base64');
  try {
    if (key === undefined) throw new Error('no key is set');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes));
    decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    return decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8');
  } catch (cause) {
    throw new TidemarkError('SECRET_UNREADABLE', 'the URIs of a changefeed were sealed with another key', {
      cause,
      hint: 'Set CAPTURE_SECRET to the value that it had when the changefeed was created.',
    });
  }
}
