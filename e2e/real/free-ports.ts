import { freePort } from '@tidemark/embedded-postgres';

/** Free ports, each another one. */
export async function freePorts<const Names extends readonly string[]>(
  ...names: Names
): Promise<Record<Names[number], number>> {
  const found = new Map<string, number>();
  for (const name of names) {
    let port: number;
    do port = await freePort('127.0.0.1');
    while ([...found.values()].includes(port));
    found.set(name, port);
  }
  return Object.fromEntries(found) as Record<Names[number], number>;
}
