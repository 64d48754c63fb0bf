import { TidemarkError } from '@tidemark/kernel';

/** What stands where a secret was, as in TiCDC's answers. */
export const covered = 'xxxxx';

/**
 * Makes sure that the text names a PostgreSQL database. The text itself never becomes part of the error: it may hold
 * a password.
 * @throws TidemarkError `SOURCE_URI_INVALID`
 */
export function checkSourceUri(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(?:ql)?:$/.test(url.protocol)) {
    throw invalid('it is not a URL of PostgreSQL');
  }
  if (url.hostname === '') throw invalid('it names no host');
  if (url.pathname.length < 2) throw invalid('it names no database');
  if (url.password === covered) {
    throw invalid(`its password is ${covered}, which stands for a secret in answers`);
  }
}

/** The URL without its password, for answers and logs. */
export function maskSourceUri(text: string): string {
  if (!URL.canParse(text)) return covered;
  const url = new URL(text);
  if (url.password !== '') url.password = covered;
  for (const name of url.searchParams.keys()) {
    if (/password|secret|token/i.test(name)) url.searchParams.set(name, covered);
  }
  return url.href;
}

function invalid(reason: string): TidemarkError {
  return new TidemarkError('SOURCE_URI_INVALID', `source URI: ${reason}`, {
    hint: 'Example: postgres://user:password@db.example.com:5432/shop',
  });
}
