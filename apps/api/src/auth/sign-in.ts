import type { Credentials, User } from '@tidemark/contracts';
import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { ActionLog } from '../http/action-log.ts';
import { ApiError } from '../http/api-error.ts';
import type { UserStore } from '../users/user-store.ts';
import { isDefaultCredentials, isLoopback } from './default-account.ts';
import type { Passwords } from './passwords.ts';
import type { SignInLimit } from './sign-in-limit.ts';

export interface SignInParts {
  readonly users: UserStore;
  readonly passwords: Passwords;
  readonly signInLimit: SignInLimit;
  readonly logAction: ActionLog;
  readonly defaultAccountUsable: boolean;
}

/** Checks credentials. The answer, and the time it takes, is the same for a wrong password and an unknown account. */
export function createSignIn(parts: SignInParts): (request: FastifyRequest) => Promise<User> {
  const { passwords, users, signInLimit, logAction } = parts;

  async function check(email: string, password: string, address: string): Promise<User> {
    const account = await users.findAccount({ email });
    const matches = await passwords.verify(password, account?.passwordHash ?? null);
    if (!account || !matches) throw signInFailed();
    if (isDefaultCredentials(email, password) && !mayUseDefault(address)) throw signInFailed();
    await renewHash(account.user.id, account.passwordHash, password);
    return account.user;
  }
  /** A proxy on this machine, such as the console, may listen to the world: whom it speaks for is what counts. */
  const mayUseDefault = (address: string) => parts.defaultAccountUsable && isLoopback(address);
  async function renewHash(id: number, passwordHash: string | null, password: string): Promise<void> {
    if (passwordHash === null || !passwords.isOutdated(passwordHash)) return;
    await users.renewHash(id, passwordHash, await passwords.hash(password));
  }

  return async request => {
    const { email: given, password } = request.body as Static<typeof Credentials>;
    const email = given.toLowerCase();
    try {
      signInLimit.take(email, request.ip);
    } catch (error) {
      logAction(request, 'sign_in_refused', { subject: email, reason: 'TOO_MANY_ATTEMPTS' });
      throw error;
    }
    try {
      const user = await check(email, password, request.ip);
      signInLimit.giveBack(email, request.ip);
      return user;
    } catch (error) {
      if (isWrongCredentials(error)) logAction(request, 'sign_in_failed', { subject: email });
      else signInLimit.giveBack(email, request.ip);
      throw error;
    }
  };
}

const wrongCredentials = 'WRONG_CREDENTIALS';

function signInFailed(): ApiError {
  return new ApiError(401, wrongCredentials, 'e-mail address or password is wrong');
}

function isWrongCredentials(error: unknown): boolean {
  return error instanceof ApiError && error.code === wrongCredentials;
}
