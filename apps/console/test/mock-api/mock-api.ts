import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ErrorBody, Me, Review, Role, User } from '@tidemark/contracts';
import { seededRandom } from '@tidemark/kernel';
import { ChangeStore } from './change-store.ts';
import { type Health, sampleOverview, samplePipelines, sampleReviews, sampleUsers } from './sample-stack.ts';

/** What a test asks the mock to answer instead of the truth. */
export interface Mood {
  health: Health;
  role: Role;
  /** Paths (without query) that fail, and how. */
  readonly failures: Map<
    string,
    { readonly status: number; readonly body: ErrorBody; readonly retryAfterSec?: number }
  >;
  /** Nothing in any list. */
  empty: boolean;
  signedIn: boolean;
  /** Answers nothing at all on these paths, so that loading states can be looked at. */
  readonly silent: Set<string>;
}

/** An api for tests and for looking at the console without a stack: answers by the contract, keeps nothing. */
export interface MockApi {
  readonly url: string;
  readonly mood: Mood;
  readonly changes: ChangeStore;
  readonly users: User[];
  readonly reviews: Review[];
  /** Requests with a body that arrived, newest last. */
  readonly received: {
    readonly method: string;
    readonly path: string;
    readonly csrf: string;
    readonly body: unknown;
  }[];
  /** Ends every open event stream, as a restart would. */
  dropStreams(): void;
  close(): Promise<void>;
}

export interface MockOptions {
  readonly port?: number;
  readonly changes?: number;
  readonly now?: () => number;
}

const csrfToken = 'mock-csrf-token';
const cookie = 'tidemark_session=mock';

export async function startMockApi(options: MockOptions = {}): Promise<MockApi> {
  const now = options.now ?? Date.now;
  const mock = createMock(now, options.changes ?? 1200);
  const server = createServer((request, response) => void mock.answer(request, response));
  await new Promise<void>(resolve => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { ...mock, url: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface MockState extends Pick<MockApi, 'mood' | 'changes' | 'users' | 'reviews' | 'received'> {
  readonly streams: Set<ServerResponse>;
  /** Grows with every overview, so that figures move. */
  wave: number;
}

function createMock(now: () => number, changeCount: number) {
  const changes = new ChangeStore(7);
  changes.fill(changeCount, now());
  const state: MockState = {
    mood: {
      health: 'well',
      role: 'admin',
      failures: new Map(),
      empty: false,
      signedIn: true,
      silent: new Set(),
    },
    changes,
    users: sampleUsers(now()),
    reviews: sampleReviews(seededRandom(3), now()),
    received: [],
    streams: new Set(),
    wave: 0,
  };
  return {
    ...state,
    dropStreams() {
      for (const stream of state.streams) stream.destroy();
    },
    async answer(request: IncomingMessage, response: ServerResponse) {
      const url = new URL(request.url ?? '/', 'http://mock');
      const body = await readJson(request);
      const path = url.pathname;
      if (body !== undefined || request.method !== 'GET') {
        const csrf = String(request.headers['x-csrf-token'] ?? '');
        state.received.push({ method: request.method ?? '', path, csrf, body });
      }
      if (state.mood.silent.has(path)) return;
      const failure = state.mood.failures.get(path);
      if (failure) {
        if (failure.retryAfterSec !== undefined) response.setHeader('retry-after', failure.retryAfterSec);
        return send(response, failure.status, failure.body);
      }
      route({ request, response, path, query: url.searchParams, body, state, now });
    },
  };
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly state: MockState;
  readonly now: () => number;
}

function route(call: Call): void {
  const { request, response, path, state } = call;
  if (path === '/healthz') return send(response, 200, { status: 'ok' });
  if (path === '/api/auth/login') return signIn(call);
  if (!state.mood.signedIn) {
    return send(response, 401, { error: { code: 'NOT_SIGNED_IN', message: 'Nobody is signed in.' } });
  }
  if (path.startsWith('/api/auth/')) return session(call);
  if (path === '/api/overview') return overview(call);
  if (path === '/api/pipelines') {
    const items = state.mood.empty ? [] : samplePipelines(state.mood.health, call.now(), state.wave);
    return send(response, 200, { items });
  }
  if (path === '/api/changes/stream') return stream(call);
  if (path === '/api/changes') {
    return send(
      response,
      200,
      state.mood.empty ? { items: [], nextCursor: null } : state.changes.search(call.query),
    );
  }
  if (path.startsWith('/api/changes/')) return oneChange(call);
  if (path.startsWith('/api/users')) return users(call);
  if (path === '/api/reviews' && request.method === 'POST') return postReview(call);
  if (path === '/api/reviews')
    return send(response, 200, { items: state.mood.empty ? [] : state.reviews, nextCursor: null });
  return notFound(response, path);
}

function signIn({ response, body, state }: Call): void {
  const { email, password } = body as { email: string; password: string };
  if (password !== 'admin123') {
    return send(response, 401, {
      error: {
        code: 'CREDENTIALS_WRONG',
        message: 'Email or password is wrong.',
        hint: 'Check both and try again.',
      },
    });
  }
  state.mood.signedIn = true;
  const user = { ...(state.users[0] as User), email, role: state.mood.role };
  response.setHeader('set-cookie', `${cookie}; Path=/; HttpOnly; SameSite=Lax`);
  return send(response, 200, { user, token: 'mock', csrfToken, expiresAt: '2030-01-01T00:00:00.000Z' });
}

function session({ response, path, state }: Call): void {
  if (path === '/api/auth/logout') {
    state.mood.signedIn = false;
    response.writeHead(204).end();
    return;
  }
  const me: Me = { user: { ...(state.users[0] as User), role: state.mood.role }, csrfToken };
  send(response, 200, me);
}

function overview({ response, state, now }: Call): void {
  state.wave += 1;
  const answer = sampleOverview(state.mood.health, now(), state.wave);
  if (!state.mood.empty) return send(response, 200, answer);
  const idle = answer.stations.map(station => ({ ...station, ratePerSec: 0, total: 0, lag: null }));
  return send(response, 200, {
    ...answer,
    stations: idle,
    deadLetters: 0,
    freshness: { p50Seconds: null, p99Seconds: null, changes: 0 },
  });
}

function stream({ request, response, query, state }: Call): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(': welcome\n\n');
  state.streams.add(response);
  const after = Number(request.headers['last-event-id'] ?? '0');
  const stop = state.mood.empty
    ? () => {}
    : state.changes.follow(query, after, change => {
        response.write(`id: ${change.id}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`);
      });
  response.on('close', () => {
    stop();
    state.streams.delete(response);
  });
}

function oneChange({ response, path, state }: Call): void {
  const change = state.changes.find(path.slice('/api/changes/'.length));
  if (change) send(response, 200, change);
  else notFound(response, path);
}

function users({ request, response, path, body, state, now }: Call): void {
  const id = Number(path.split('/')[3]);
  const index = state.users.findIndex(user => user.id === id);
  const at = new Date(now()).toISOString();
  if (request.method === 'GET') {
    return send(response, 200, { items: state.mood.empty ? [] : state.users, nextCursor: null });
  }
  if (request.method === 'POST') {
    const { email, role = 'viewer' } = body as { email: string; role?: Role };
    if (state.users.some(user => user.email === email)) {
      return send(response, 409, {
        error: { code: 'EMAIL_TAKEN', message: 'This address has an account already.', field: 'email' },
      });
    }
    const user: User = { id: 100 + state.users.length, email, role, createdAt: at, updatedAt: at };
    state.users.push(user);
    return send(response, 201, user);
  }
  const known = state.users[index];
  if (!known) return notFound(response, path);
  if (request.method === 'DELETE') {
    state.users.splice(index, 1);
    response.writeHead(204).end();
    return undefined;
  }
  const { role = known.role } = body as { role?: Role };
  const changed = { ...known, role, updatedAt: at };
  state.users[index] = changed;
  return send(response, 200, changed);
}

function postReview({ response, body, state, now }: Call): void {
  const { rating, text } = body as { rating: number; text: string };
  const reviewId = `r-0193${now().toString(16)}`;
  const createdAt = new Date(now()).toISOString();
  // The consumer takes a moment: the first time the list is asked for it is not there yet.
  setTimeout(() => state.reviews.unshift({ reviewId, userKey: 'user:1', rating, text, createdAt }), 400);
  send(response, 202, { eventId: '01935f4e-8a2c-7bd1-9f00-5a1e0d2c7b44', reviewId, key: 'user:1' });
}

function notFound(response: ServerResponse, path: string): void {
  send(response, 404, { error: { code: 'NOT_FOUND', message: `There is no ${path}.` } });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}
