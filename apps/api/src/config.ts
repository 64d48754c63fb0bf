import { type Config, defineConfig, setting } from '@tidemark/config';
import { ports } from '@tidemark/contracts';

/** Everything that the environment can say to the api. */
export const configSpec = defineConfig({
  LOG_LEVEL: setting.choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
    doc: 'Least severe level that is logged.',
    default: 'info',
  }),
  API_ADDR: setting.listenAddress({
    doc: 'Address to listen on. Beyond loopback the default account must have another password.',
    default: { host: '127.0.0.1', port: ports.api },
  }),
  DATABASE_URL: setting.url(['postgres', 'postgresql'], {
    doc: 'PostgreSQL with the migrated schema.',
    default: `postgres://tidemark:tidemark@127.0.0.1:${ports.postgres}/sre_app`,
    secret: true,
  }),
  DATABASE_POOL_MAX: setting.integer({
    doc: 'Connections to the database; one more while the live feed is watched.',
    default: 10,
    min: 1,
    max: 200,
  }),
  KAFKA_BROKERS: setting.list({ doc: 'Brokers to start from.', default: [`127.0.0.1:${ports.broker}`] }),
  PRODUCE_TIMEOUT: setting.durationMs({
    doc: 'How long the broker may take to acknowledge an event before the request is answered with 503.',
    default: 5000,
  }),
  CAPTURE_URL: setting.url(['http', 'https'], {
    doc: 'The capture service, asked for its metrics.',
    default: `http://127.0.0.1:${ports.capture}`,
  }),
  CONSUMER_URL: setting.url(['http', 'https'], {
    doc: 'The consumer service, asked for its pipelines and metrics.',
    default: `http://127.0.0.1:${ports.consumer}`,
  }),
  BROKER_METRICS_URL: setting.url(['http', 'https'], {
    doc: 'Where the broker exposes its metrics. A broker without any is asked over the Kafka protocol.',
    default: `http://127.0.0.1:${ports.brokerOps}`,
  }),
  CORS_ORIGINS: setting.list({
    doc: 'Origins of other web sites that may call the api with credentials, such as https://ops.example.com.',
    default: [],
  }),
  TRUSTED_PROXIES: setting.list({
    doc: 'Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses, networks, or `loopback`.',
    default: ['loopback'],
  }),
  COOKIE_SECURE: setting.flag({
    doc: 'Send the session cookie over HTTPS only. Requests that came by HTTPS get such a cookie in any case.',
    default: false,
  }),
  FEED_HEARTBEAT: setting.durationMs({
    doc: 'How often an idle live feed says that it is alive, and its session is checked; below what proxies allow.',
    default: 15_000,
  }),
  SESSION_TTL: setting.durationMs({ doc: 'How long a sign-in lasts.', default: 12 * 3_600_000 }),
  SELF_REGISTRATION: setting.flag({ doc: 'Let people create an account (role viewer).', default: true }),
  SIGN_IN_ATTEMPTS_MAX: setting.integer({
    doc: 'Failed sign-ins for one account within SIGN_IN_WINDOW; five times as many for one address.',
    default: 10,
    min: 1,
  }),
  SIGN_IN_WINDOW: setting.durationMs({ doc: 'Window of SIGN_IN_ATTEMPTS_MAX.', default: 300_000 }),
  BCRYPT_COST: setting.integer({
    doc: 'Work factor of new password hashes, a power of two. Older hashes are renewed at the next sign-in.',
    default: 10,
    min: 10,
    max: 16,
  }),
});

export type ApiConfig = Config<typeof configSpec>;
