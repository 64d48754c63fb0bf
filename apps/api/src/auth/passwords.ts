import { randomBytes } from 'node:crypto';
import { hash, parseOptions, verify } from '@node-rs/bcrypt';
import { ApiError } from '../http/api-error.ts';
import { WorkGate } from './work-gate.ts';

/** bcrypt reads no more bytes than these; what comes after them would not count. */
const passwordBytesMax = 72;

export interface Passwords {
  /** A hash to store. Refuses a password that bcrypt would cut. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password belongs to the hash. Costs the same time when there is no hash (null), or none that bcrypt
   * can read, so that an answer does not tell whether an account exists.
   */
  verify(password: string, passwordHash: string | null): Promise<boolean>;
  /** True for hashes that are cheaper to attack than new ones. */
  isOutdated(passwordHash: string): boolean;
}

/** bcrypt in the thread pool, where it does not hold up other requests. */
export function createPasswords(cost: number): Passwords {
  // The thread pool has four threads that file access and name lookups need as well.
  const gate = new WorkGate({ runningMax: 2, waitingMax: 64 });
  const create = (password: string) => gate.run(() => hash(password, { cost }));
  let decoy: Promise<string> | undefined;
  const decoyHash = () => (decoy ??= create(randomBytes(18).toString('base64')));

  return {
    async hash(password) {
      refuseUnhashable(password);
      return create(password);
    },
    async verify(password, passwordHash) {
      const readable = passwordHash !== null && costOf(passwordHash) !== undefined;
      const against = readable ? passwordHash : await decoyHash();
      const matches = await gate.run(() => verify(password, against));
      return matches && readable && isHashable(password);
    },
    isOutdated: passwordHash => (costOf(passwordHash) ?? 0) < cost,
  };
}

function costOf(passwordHash: string): number | undefined {
  try {
    return parseOptions(passwordHash).cost;
  } catch {
    return undefined;
  }
}

/** bcrypt stops at a zero byte and at 72 bytes: longer passwords with the same beginning would be the same one. */
function isHashable(password: string): boolean {
  return Buffer.byteLength(password) <= passwordBytesMax && !password.includes('\0');
}

function refuseUnhashable(password: string): void {
  if (isHashable(password)) return;
  throw new ApiError(
    400,
    'PASSWORD_TOO_LONG',
    `the password takes more than ${passwordBytesMax} bytes in UTF-8`,
    {
      field: 'password',
      hint: 'Choose a shorter one without control characters.',
    },
  );
}
