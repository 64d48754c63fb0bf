import { loadConfig } from '@tidemark/config';
import { defaultAccount, type Session } from '@tidemark/contracts';
import { systemClock } from '@tidemark/kernel';
import { createLogger, createMetrics } from '@tidemark/observability';
import { hash } from '@node-rs/bcrypt';
import type { TestPostgres } from '@tidemark/testkit';
import type { EventBroker, OutgoingEvent } from '../src/broker/event-broker.ts';
import { configSpec } from '../src/config.ts';
import { type ApiService, createApiService } from '../src/service.ts';

/** A broker that keeps what it is given. */
export class RecordingBroker implements EventBroker {
  readonly published: OutgoingEvent[] = [];
  failure: Error | undefined;

  async publish(event: OutgoingEvent): Promise<void> {
    if (this.failure) throw this.failure;
    this.published.push(event);
  }
  async endOffsets() {
    if (this.failure) throw this.failure;
    return [];
  }
  async check(): Promise<void> {
    if (this.failure) throw this.failure;
  }
  async close(): Promise<void> {}
}

export interface RunningApi {
  readonly service: ApiService;
  readonly broker: RecordingBroker;
  /** Everything that was logged, as parsed lines. */
  readonly log: Record<string, unknown>[];
  /** Asks the api. Objects become JSON bodies. */
  ask(method: string, path: string, options?: AskOptions): Promise<ApiAnswer>;
  /** Signs in and returns the session. */
  signIn(email?: string, password?: string): Promise<Session>;
}

export interface AskOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined when there is none. */
  readonly body: unknown;
  /** Code of the error, when it is one. */
  readonly code: string | undefined;
}

/** Starts the api on a free port over a database, with a broker that records. */
export async function runApi(
  databaseUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningApi> {
  const log: Record<string, unknown>[] = [];
  const write = (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>);
  const broker = new RecordingBroker();
  const nowhere = 'http://127.0.0.1:9';
  const service = createApiService({
    config: loadConfig(configSpec, {
      API_ADDR: '127.0.0.1:0',
      DATABASE_URL: databaseUrl,
      CAPTURE_URL: nowhere,
      CONSUMER_URL: nowhere,
      BROKER_METRICS_URL: nowhere,
      ...env,
    }),
    logger: createLogger({ service: 'api', destination: { write } }),
    metrics: createMetrics({ defaults: false }),
    clock: systemClock,
    random: Math.random,
    broker,
  });
  await service.start();

  const ask = async (method: string, path: string, options: AskOptions = {}): Promise<ApiAnswer> => {
    const { body, token, headers = {} } = options;
    const response = await fetch(`${service.url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    const parsed: unknown = isJson ? JSON.parse(text) : undefined;
    const code = (parsed as { error?: { code?: string } } | undefined)?.error?.code;
    return { status: response.status, headers: response.headers, text, body: parsed, code };
  };
  return {
    service,
    broker,
    log,
    ask,
    async signIn(email = defaultAccount.email, password = defaultAccount.password) {
      const answer = await ask('POST', '/api/auth/login', { body: { email, password } });
      if (answer.status !== 200) throw new Error(`sign-in was answered ${answer.status}: ${answer.text}`);
      return answer.body as Session;
    },
  };
}

/** Puts the default account into an empty database. */
export async function seedAdmin(postgres: TestPostgres): Promise<void> {
  await postgres.query(
    `INSERT INTO users (email, password_hash, role) VALUES ($1, $2, 'admin') ON CONFLICT DO NOTHING`,
    [defaultAccount.email, await hash(defaultAccount.password, { cost: 10 })],
  );
}
