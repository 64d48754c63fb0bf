import { createHmac } from 'node:crypto';

/**
 * Headers of a signed webhook as the Standard Webhooks specification has them: the signature covers id, time and body, so
 * that a receiver can tell a forgery, and by the time an old message that is sent again by somebody else.
 * A secret that begins with `whsec_` is the base64 of the key; any other is the key itself.
 */
export function signedHeaders(
  secret: string,
  id: string,
  body: Uint8Array,
  nowMs: number,
): Record<string, string> {
  const timestamp = Math.floor(nowMs / 1000);
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
    'idempotency-key': id,
  };
}
