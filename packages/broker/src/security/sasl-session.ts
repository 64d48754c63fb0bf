import { timingSafeEqual } from 'node:crypto';
import { type Credentials, type SaslMechanism, saslMechanisms } from './credentials.ts';
import { ScramExchange } from './scram.ts';

/** What one message of the peer led to. */
export type SaslStep =
  | { readonly kind: 'continue'; readonly bytes: Buffer }
  | { readonly kind: 'done'; readonly bytes: Buffer }
  | { readonly kind: 'failed' };

export interface SaslExchange {
  step(message: Buffer): SaslStep;
}

/** The authentication of one connection: SaslHandshake names the mechanism, SaslAuthenticate carries its messages. */
export class SaslSession {
  readonly #credentials: Credentials | null;
  readonly mechanisms: readonly SaslMechanism[];
  #exchange: SaslExchange | undefined;
  #authenticated: boolean;

  /** Without credentials everybody is welcome. */
  constructor(credentials: Credentials | null, mechanisms: readonly SaslMechanism[] = saslMechanisms) {
    this.#credentials = credentials;
    this.mechanisms = credentials ? mechanisms : [];
    this.#authenticated = credentials === null;
  }

  get isAuthenticated(): boolean {
    return this.#authenticated;
  }

  /** False when the mechanism is not offered. */
  choose(mechanism: string): boolean {
    if (!this.#credentials || !this.mechanisms.some(offered => offered === mechanism)) return false;
    this.#exchange =
      mechanism === 'PLAIN'
        ? plainExchange(this.#credentials)
        : new ScramExchange(this.#credentials, mechanism === 'SCRAM-SHA-512' ? 'sha512' : 'sha256');
    return true;
  }

  /** Undefined when no mechanism was chosen. */
  step(message: Buffer): SaslStep | undefined {
    const step = this.#exchange?.step(message);
    if (!step || step.kind === 'continue') return step;
    this.#exchange = undefined;
    if (step.kind === 'done') this.#authenticated = true;
    return step;
  }
}

/** PLAIN (RFC 4616): `[authorization id] NUL user NUL password`. */
function plainExchange(credentials: Credentials): SaslExchange {
  return {
    step(message) {
      const [, username, password, ...rest] = message.toString('utf8').split('\0');
      if (username === undefined || password === undefined || rest.length > 0) return { kind: 'failed' };
      const expected = credentials.password(username);
      const isRight = isSame(password, expected ?? `${password} `);
      return isRight && expected !== undefined
        ? { kind: 'done', bytes: Buffer.alloc(0) }
        : { kind: 'failed' };
    },
  };
}

function isSame(left: string, right: string): boolean {
  const length = Math.max(Buffer.byteLength(left), Buffer.byteLength(right), 1);
  const padded = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(length)], length);
  return timingSafeEqual(padded(left), padded(right)) && left === right;
}
