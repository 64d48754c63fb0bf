import { ports } from '@tidemark/contracts/names';
import { TidemarkError } from '@tidemark/kernel';
import { type Times, timesAt } from './promql/duration.ts';

/** Programs that Prometheus scrapes. */
export const jobs = [
  'api',
  'capture',
  'consumer',
  'producer',
  'console',
  'broker',
  'prometheus',
  'alertmanager',
  'node',
  'blackbox',
] as const;
export type Job = (typeof jobs)[number];

/** Those to whom Alertmanager sends. */
export const receivers = ['page', 'ticket', 'watchdog', 'drill', 'unrouted'] as const;
export type Receiver = (typeof receivers)[number];

/** What differs from one installation to another. */
export interface Settings {
  /** `host:port` of each program. */
  readonly targets: Readonly<Record<Job, string>>;
  /** Webhooks of the receivers. */
  readonly receivers: Readonly<Record<Receiver, string>>;
  readonly grafanaUrl: string;
  readonly jaegerUrl: string;
  readonly elasticsearchUrl: string;
  readonly lokiUrl: string;
  /** Where the runbooks are read; a path inside the repository unless given. */
  readonly runbooksUrl: string;
  /** The data folder of the stack, whose logs are shipped. */
  readonly dataFolder: string;
  /** Name of the drill that the rules are made for, or `none`. */
  readonly drill: string;
  /** By how much all times are shortened. */
  readonly scale: number;
  readonly times: Times;
}

const here = (port: number) => `127.0.0.1:${port}`;
/** Where a receiver of alerts is expected; each kind has a path of its own. */
const receiverPort = 9095;

export const defaultSettings: Settings = {
  targets: {
    api: here(ports.api),
    capture: here(ports.capture),
    consumer: here(ports.consumer),
    producer: here(ports.producer),
    console: here(ports.console),
    broker: here(ports.brokerOps),
    prometheus: here(9090),
    alertmanager: here(9093),
    node: here(9100),
    blackbox: here(9115),
  },
  receivers: Object.fromEntries(
    receivers.map(name => [name, `http://${here(receiverPort)}/alerts/${name}`]),
  ) as Record<Receiver, string>,
  grafanaUrl: 'http://localhost:3002',
  jaegerUrl: 'http://localhost:16686',
  elasticsearchUrl: 'http://localhost:9200',
  lokiUrl: 'http://localhost:3100',
  runbooksUrl: 'runbooks',
  dataFolder: '.tidemark',
  drill: 'none',
  scale: 1,
  times: timesAt(1),
};

/** `api=10.0.0.7:3001` and the like, over the defaults. */
export function withPairs<K extends string>(
  defaults: Readonly<Record<K, string>>,
  pairs: readonly string[],
  what: string,
): Readonly<Record<K, string>> {
  const given = pairs.map(pair => {
    const [name = '', ...rest] = pair.split('=');
    if (name in defaults && rest.length > 0 && rest[0] !== '') return [name, rest.join('=')] as const;
    throw new TidemarkError('SETTING_INVALID', `${JSON.stringify(pair)} is no ${what}`, {
      hint: `Write NAME=VALUE with a name among ${Object.keys(defaults).join(', ')}.`,
    });
  });
  return { ...defaults, ...Object.fromEntries(given) };
}
