import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Credentials, SCRAM_ITERATIONS, type ScramCredential } from './credentials.ts';
import type { SaslExchange, SaslStep } from './sasl-session.ts';

const FAILED: SaslStep = { kind: 'failed' };

/** Server side of SCRAM (RFC 5802, RFC 7677): two round trips, neither of which shows the password. */
export class ScramExchange implements SaslExchange {
  readonly #credentials: Credentials;
  readonly #digest: 'sha256' | 'sha512';
  #challenge:
    | { readonly credential: ScramCredential; readonly nonce: string; readonly transcript: string }
    | undefined;

  constructor(credentials: Credentials, digest: 'sha256' | 'sha512') {
    this.#credentials = credentials;
    this.#digest = digest;
  }

  step(message: Buffer): SaslStep {
    const text = message.toString('utf8');
    return this.#challenge ? this.#checkProof(text) : this.#answerFirst(text);
  }

  /** client-first: `n,,n=<user>,r=<nonce>[,extensions]` */
  #answerFirst(text: string): SaslStep {
    const bare = /^[ny](?:=[^,]*)?,(?:a=[^,]*)?,(.*)$/s.exec(text)?.[1];
    const [, name, clientNonce] = /^n=([^,]*),r=([^,]+)/.exec(bare ?? '') ?? [];
    if (bare === undefined || name === undefined || clientNonce === undefined) return FAILED;
    const username = name.replaceAll('=2C', ',').replaceAll('=3D', '=');
    const credential = this.#credentials.scram(username, this.#digest);
    const nonce = clientNonce + randomBytes(18).toString('base64');
    const serverFirst = `r=${nonce},s=${credential.salt.toString('base64')},i=${SCRAM_ITERATIONS}`;
    this.#challenge = { credential, nonce, transcript: `${bare},${serverFirst}` };
    return { kind: 'continue', bytes: Buffer.from(serverFirst) };
  }

  /** client-final: `c=<binding>,r=<nonce>,p=<proof>` */
  #checkProof(text: string): SaslStep {
    const [, withoutProof, nonce, proof] = /^(c=[^,]*,r=([^,]*)(?:,[^p][^,]*)*),p=(.*)$/.exec(text) ?? [];
    const challenge = this.#challenge;
    if (!challenge || withoutProof === undefined || proof === undefined || nonce !== challenge.nonce)
      return FAILED;
    const transcript = `${challenge.transcript},${withoutProof}`;
    const { saltedPassword } = challenge.credential;
    const storedKey = createHash(this.#digest).update(this.#hmac(saltedPassword, 'Client Key')).digest();
    const signature = this.#hmac(storedKey, transcript);
    const clientKey = xor(Buffer.from(proof, 'base64'), signature);
    const presented = createHash(this.#digest).update(clientKey).digest();
    if (!timingSafeEqual(presented, storedKey)) return FAILED;
    const serverSignature = this.#hmac(this.#hmac(saltedPassword, 'Server Key'), transcript);
    return { kind: 'done', bytes: Buffer.from(`v=${serverSignature.toString('base64')}`) };
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#digest, key).update(text).digest();
  }
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(right.map((byte, index) => byte ^ (left[index] ?? 0)));
}
