/** Why a password would be refused, before the api is asked; undefined when it would not. */
export function passwordFault(password: string): string | undefined {
  if (password.length < 8) return 'At least 8 characters.';
  if (new TextEncoder().encode(password).length > 72) return 'At most 72 bytes: longer ones would be cut.';
  return undefined;
}
