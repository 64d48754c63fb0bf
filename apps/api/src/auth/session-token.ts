import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits that prove a session. Only its SHA-256 is stored: who reads the table cannot sign in. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What a token is looked up by. A fast hash is enough, because nobody can guess 256 random bits. */
export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Compares without telling by its duration how much was right. */
export function sameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(tokenHash(given), tokenHash(expected));
}
