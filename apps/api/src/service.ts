import type { AddressInfo } from 'node:net';
import { type Clock, describeError, lifecycle, type Service } from '@tidemark/kernel';
import {
  createOps,
  explainListenError,
  exposePool,
  type Logger,
  type Metrics,
} from '@tidemark/observability';
import { authRoutes } from './auth/auth-routes.ts';
import { requireSignIn } from './auth/authentication.ts';
import { isLoopback, refuseExposedDefaultAccount } from './auth/default-account.ts';
import { createPasswords } from './auth/passwords.ts';
import { createSessionStore } from './auth/session-store.ts';
import { SignInLimit } from './auth/sign-in-limit.ts';
import type { EventBroker } from './broker/event-broker.ts';
import { changeRoutes } from './changes/change-routes.ts';
import { createChangeStore } from './changes/change-store.ts';
import { changeStreamRoute } from './changes/change-stream-route.ts';
import { ChangeTail } from './changes/change-tail.ts';
import { createStoreListener } from './changes/store-listener.ts';
import type { ApiConfig } from './config.ts';
import { deadLetterRoutes } from './dead-letters/dead-letter-routes.ts';
import { createDesk, type Desk } from './dead-letters/desk.ts';
import { createActionLog } from './http/action-log.ts';
import type { Api } from './http/api.ts';
import { operationRoutes } from './http/operation-routes.ts';
import { createServer } from './http/server.ts';
import { pipelineRoutes } from './pipelines/pipeline-routes.ts';
import { createPositionStore } from './pipelines/position-store.ts';
import { createSnapshots } from './pipelines/snapshot.ts';
import { reviewRoutes } from './reviews/review-routes.ts';
import { createReviewStore } from './reviews/review-store.ts';
import { type Database, openDatabase } from './store/database.ts';
import { databaseFailure } from './store/database-failure.ts';
import { userRoutes } from './users/user-routes.ts';
import { createUserStore } from './users/user-store.ts';

/** What the api gets from outside: configuration, time, chance, and the broker. */
export interface ApiParts {
  readonly config: ApiConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: () => number;
  readonly broker: EventBroker;
}

export interface ApiService extends Service {
  /** Base URL once started. */
  readonly url: string;
}

/** Puts the api together. This is the only place that knows all of its parts. */
export function createApiService(parts: ApiParts): ApiService {
  const { config, logger, broker } = parts;
  const address = config.API_ADDR;
  const database = openDatabase({
    url: config.DATABASE_URL,
    poolMax: config.DATABASE_POOL_MAX,
    onConnectionLost: error =>
      logger.warn({ reason: describeError(error) }, 'a database connection was lost'),
  });
  exposePool(parts.metrics, database.pool, config.DATABASE_POOL_MAX);
  const passwords = createPasswords(config.BCRYPT_COST);
  const users = createUserStore(database.queries);
  const desk = createDesk({
    databaseUrl: config.DATABASE_URL,
    brokers: config.KAFKA_BROKERS,
    clock: parts.clock,
    produceTimeoutMs: config.PRODUCE_TIMEOUT,
    onConnectionLost: error =>
      logger.warn({ reason: describeError(error) }, 'a database connection was lost'),
  });
  let api: Api | undefined;

  async function checkDefaultAccount(): Promise<void> {
    try {
      await refuseExposedDefaultAccount(address.host, users, passwords);
    } catch (error) {
      // Without a database nobody can sign in, and sign-in refuses the default password by itself as well.
      if (!databaseFailure(error)) throw error;
      logger.warn({ reason: describeError(error) }, 'the database does not answer yet');
    }
  }

  const service = lifecycle('api', {
    async start() {
      await checkDefaultAccount();
      api = await assemble(parts, { database, passwords, users, desk });
      await api.listen(address).catch((error: unknown) => {
        throw explainListenError(error, address);
      });
      logger.info({ url: urlOf(api) }, 'listening');
    },
    async stop() {
      await api?.close();
      await Promise.allSettled([broker.close(), desk.close(), database.close()]);
      logger.info('stopped');
    },
  });
  return {
    ...service,
    get url() {
      return api ? urlOf(api) : '';
    },
  };
}

function urlOf(api: Api): string {
  const { address, family, port } = api.server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

interface Stores {
  readonly database: Database;
  readonly passwords: ReturnType<typeof createPasswords>;
  readonly users: ReturnType<typeof createUserStore>;
  readonly desk: Desk;
}

async function assemble(parts: ApiParts, stores: Stores): Promise<Api> {
  const { config, logger, metrics, broker } = parts;
  const { database } = stores;
  const api = await createServer({
    logger,
    metrics,
    trustedProxies: config.TRUSTED_PROXIES,
    corsOrigins: config.CORS_ORIGINS,
    httpsOnly: config.COOKIE_SECURE,
  });
  const ops = createOps({
    metrics,
    checks: { database: () => database.check(), broker: signal => broker.check(signal) },
  });
  operationRoutes(api, { ops, checkDatabase: () => database.check() });
  await api.register(async child => apiRoutes(child as Api, parts, stores));
  return api;
}

/** Everything behind sign-in, and sign-in itself. */
function apiRoutes(api: Api, parts: ApiParts, { database, passwords, users, desk }: Stores): void {
  const { config, logger, clock, broker } = parts;
  const { queries } = database;
  const sessions = createSessionStore(queries, config.SESSION_TTL);
  const logAction = createActionLog(logger);
  const limit = { max: config.SIGN_IN_ATTEMPTS_MAX, windowMs: config.SIGN_IN_WINDOW, clock };
  requireSignIn(api, sessions);
  authRoutes(api, {
    users,
    sessions,
    passwords,
    logAction,
    signInLimit: new SignInLimit(limit),
    registrationLimit: new SignInLimit(limit),
    selfRegistration: config.SELF_REGISTRATION,
    cookieSecure: config.COOKIE_SECURE,
    defaultAccountUsable: isLoopback(config.API_ADDR.host),
  });
  userRoutes(api, { users, passwords, logAction });
  reviewRoutes(api, { reviews: createReviewStore(queries), broker, clock, logAction });
  deadLetterRoutes(api, { desk, logAction });
  changesOf(api, parts, database, sessions);
  const urls = {
    capture: config.CAPTURE_URL,
    consumer: config.CONSUMER_URL,
    broker: config.BROKER_METRICS_URL,
  };
  pipelineRoutes(api, createSnapshots({ store: createPositionStore(queries), broker, urls, clock }));
}

function changesOf(
  api: Api,
  { config, logger, metrics, clock, random }: ApiParts,
  database: Database,
  sessions: ReturnType<typeof createSessionStore>,
): void {
  const store = createChangeStore(database.queries, clock);
  const listener = createStoreListener({
    databaseUrl: config.DATABASE_URL,
    clock,
    random,
    onLost: error =>
      logger.warn(
        { reason: describeError(error) },
        'the live feed lost its connection; it polls until it is back',
      ),
  });
  const tail = new ChangeTail({ store, listener, clock, logger });
  changeRoutes(api, store);
  const heartbeatMs = config.FEED_HEARTBEAT;
  changeStreamRoute(api, { store, tail, sessions, clock, metrics, logger, heartbeatMs });
}
