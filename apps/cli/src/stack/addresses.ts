import { databaseName, ports } from '@tidemark/contracts';
import { embeddedUser } from '@tidemark/embedded-postgres';

/** Every service of a stack listens here and nowhere else. */
export const loopback = '127.0.0.1';

export type PortName = keyof typeof ports;

/** The largest offset with which every port is still one. */
export const portOffsetMax = 65_535 - Math.max(...Object.values(ports));

/** Where the parts of a stack are reached. */
export interface Addresses {
  port(name: PortName): number;
  /** `host:port`, as the services' settings want it. */
  listen(name: PortName): string;
  /** `http://localhost:port`, as people type it. */
  browse(name: PortName): string;
  /** `http://127.0.0.1:port`, as programs use it. */
  http(name: PortName): string;
  readonly databaseUrl: string;
  readonly brokers: string;
}

/**
 * The addresses of a stack. An external database or broker, named in the environment, takes the place of the
 * embedded one.
 */
export function addressesOf(
  portOffset: number,
  env: Readonly<Record<string, string | undefined>>,
): Addresses {
  const port = (name: PortName) => ports[name] + portOffset;
  const { user, password } = embeddedUser;
  return {
    port,
    listen: name => `${loopback}:${port(name)}`,
    browse: name => `http://localhost:${port(name)}`,
    http: name => `http://${loopback}:${port(name)}`,
    databaseUrl:
      env['DATABASE_URL'] || `postgres://${user}:${password}@${loopback}:${port('postgres')}/${databaseName}`,
    brokers: env['KAFKA_BROKERS'] || `${loopback}:${port('broker')}`,
  };
}
