import { isIP } from 'node:net';
import { BlockList } from 'node:net';
import { defaultAccount } from '@tidemark/contracts';
import { TidemarkError } from '@tidemark/kernel';
import type { UserStore } from '../users/user-store.ts';
import type { Passwords } from './passwords.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether only this machine can reach a server that listens on the host. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host === 'localhost';
  return loopback.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

/** The credentials that stand in the documentation for everybody to read. */
export function isDefaultCredentials(email: string, password: string): boolean {
  return email === defaultAccount.email && password === defaultAccount.password;
}

/**
 * Refuses to serve other machines while the default account has the default password.
 * @throws TidemarkError `DEFAULT_PASSWORD_EXPOSED`
 */
export async function refuseExposedDefaultAccount(
  host: string,
  users: UserStore,
  passwords: Passwords,
): Promise<void> {
  if (isLoopback(host)) return;
  const account = await users.findAccount({ email: defaultAccount.email });
  if (!account?.passwordHash) return;
  if (!(await passwords.verify(defaultAccount.password, account.passwordHash))) return;
  throw new TidemarkError(
    'DEFAULT_PASSWORD_EXPOSED',
    `${defaultAccount.email} still has the default password, and ${host} can be reached from other machines`,
    { hint: 'Change the password on a loopback address first, or delete the account.', facts: { host } },
  );
}
