import { fileURLToPath } from 'node:url';
import { probeReady } from '../src/stack/services.ts';
import type { ServiceStep } from '../src/supervisor/step.ts';

export interface StandIn {
  readonly name: string;
  readonly needs?: readonly string[];
  readonly port: number;
  /** File into which the services of a test write what happens to them. */
  readonly events: string;
  readonly cwd: string;
  /** How it misbehaves; see fixtures/service.ts. */
  readonly env?: Readonly<Record<string, string>>;
  /** Another script than fixtures/service.ts. */
  readonly script?: string;
}

export const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** A step of a stack whose process is a small script. */
export function standInService(standIn: StandIn): ServiceStep {
  const { name, port, cwd, events } = standIn;
  return {
    kind: 'service',
    name,
    needs: standIn.needs ?? [],
    ports: [port],
    address: `http://127.0.0.1:${port}`,
    stopSignal: 'SIGTERM',
    prepare: () =>
      Promise.resolve({
        command: process.execPath,
        args: [standIn.script ?? fixture('service.ts')],
        cwd,
        env: {
          NAME: name,
          PORT: String(port),
          EVENTS: events,
          TIDEMARK_STOP_WITH_PARENT: '1',
          ...standIn.env,
        },
      }),
    probe: signal => probeReady(`http://127.0.0.1:${port}`, signal),
  };
}
