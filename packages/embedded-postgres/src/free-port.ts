import { createServer } from 'node:net';

/**
 * Ports below those that systems give to outgoing connections (Linux from 32768, see ip(7); macOS from 49152), so that
 * between asking and listening no connection of anybody can be given one that was found free.
 */
const range = { from: 16_000, to: 32_000 } as const;
const attempts = 100;

/** A port that was free a moment ago. Random, so that two programs that ask at the same time get different ones. */
export async function freePort(host: string): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = range.from + Math.floor(Math.random() * (range.to - range.from));
    if (await isFree(port, host)) return port;
  }
  throw new Error(`no free port was found on ${host} in ${attempts} attempts`);
}

/** Whether this program could listen there now. */
export function isFree(port: number, host: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
