import { createHash, pbkdf2Sync, randomBytes } from 'node:crypto';

/** SASL mechanisms the broker offers when users are configured. */
export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
export type SaslMechanism = (typeof saslMechanisms)[number];

/** Who may connect. Given at the start; the broker keeps them in memory only. */
export interface SaslOptions {
  readonly users: readonly { readonly username: string; readonly password: string }[];
  /** Default: all of them. */
  readonly mechanisms?: readonly SaslMechanism[];
}

/** RFC 5802 asks for at least this many rounds. */
export const SCRAM_ITERATIONS = 4096;

/** What a server keeps to check SCRAM proofs. */
export interface ScramCredential {
  readonly salt: Buffer;
  readonly saltedPassword: Buffer;
}

/** Users with what each mechanism needs to check them. */
export class Credentials {
  readonly #passwords: ReadonlyMap<string, string>;
  readonly #scram = new Map<string, ScramCredential>();

  constructor(options: SaslOptions) {
    this.#passwords = new Map(options.users.map(({ username, password }) => [username, password]));
  }

  password(username: string): string | undefined {
    return this.#passwords.get(username);
  }

  /** The same for every exchange of a user; computed when first asked for. Unknown users get one that never fits. */
  scram(username: string, digest: 'sha256' | 'sha512'): ScramCredential {
    const key = `${digest}/${username}`;
    const known = this.#scram.get(key);
    if (known) return known;
    const password = this.#passwords.get(username);
    const salt = randomBytes(16);
    const bytes = createHash(digest).digest().length;
    const secret = password ?? randomBytes(32);
    const credential = { salt, saltedPassword: pbkdf2Sync(secret, salt, SCRAM_ITERATIONS, bytes, digest) };
    // Names that do not exist are not remembered, or a guesser could fill the memory with them.
    if (password !== undefined) this.#scram.set(key, credential);
    return credential;
  }
}
