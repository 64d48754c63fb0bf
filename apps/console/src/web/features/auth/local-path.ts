/**
 * The path to go to after signing in. It comes from the address bar, so anything that could lead to another origin
 * (`//host`, `/\host`, a full URL) becomes the overview.
 */
export function localPath(next: string | undefined): string {
  if (next === undefined || !/^\/(?![/\\])/.test(next)) return '/';
  return next.startsWith('/sign-in') ? '/' : next;
}
