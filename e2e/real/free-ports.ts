import { once } from 'node:events';
import { createServer } from 'node:net';

/** Free ports. All are held until all are known, so that they differ. */
export async function freePorts<const Names extends readonly string[]>(
  ...names: Names
): Promise<Record<Names[number], number>> {
  const found: [string, number][] = [];
  const probes = [];
  for (const name of names) {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    if (typeof address === 'object' && address) found.push([name, address.port]);
    probes.push(probe);
  }
  await Promise.all(probes.map(probe => once(probe.close(), 'close')));
  return Object.fromEntries(found) as Record<Names[number], number>;
}
