import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { errorCode, TidemarkError } from '@tidemark/kernel';
import type { BrokerSettings } from '../options.ts';
import { Credentials } from '../security/credentials.ts';
import { SaslSession } from '../security/sasl-session.ts';
import type { LentMemory } from '../storage/lent-memory.ts';
import { Connection } from './connection.ts';
import type { Dispatcher } from './dispatcher.ts';
import { Landing } from './landing.ts';
import { MemoryGuard } from './memory-guard.ts';
import { RequestBudget } from './request-budget.ts';

/** How long a stop waits for requests that are under way before it hangs up. */
const DRAIN_MS = 3000;

/** Accepts connections and keeps them within the limits. */
export class Listener {
  readonly #settings: BrokerSettings;
  readonly #server: Server;
  readonly #budget: RequestBudget;
  readonly #memory: LentMemory;
  readonly #landing = new Landing();
  readonly #incomplete: MemoryGuard;
  readonly #unsent: MemoryGuard;
  readonly #connections = new Set<Connection>();
  readonly #credentials: Credentials | null;
  #dispatcher: Dispatcher | undefined;
  #allClosed: () => void = () => {};

  constructor(settings: BrokerSettings, memory: LentMemory) {
    this.#settings = settings;
    this.#memory = memory;
    const { requestBytesMax, incompleteBytesMax, unsentBytesTotalMax } = settings.limits;
    this.#budget = new RequestBudget(requestBytesMax);
    this.#incomplete = new MemoryGuard(incompleteBytesMax, 'too much has begun to arrive and does not end');
    this.#unsent = new MemoryGuard(unsentBytesTotalMax, 'too many answers are not read');
    this.#credentials = settings.sasl === null ? null : new Credentials(settings.sasl);
    const accept = (socket: Socket) => this.#accept(socket);
    this.#server =
      settings.tls === null
        ? createServer({ noDelay: true, pauseOnConnect: true }, accept)
        : createTlsServer({ noDelay: true, ...settings.tls }, accept);
    this.#server.on('tlsClientError', (error, socket) => {
      const facts = { peer: socket.remoteAddress, reason: error.message };
      settings.logger.warn(facts, 'connection dropped: no TLS session');
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Bytes of requests that are being handled. */
  get requestBytes(): number {
    return this.#budget.bytes;
  }

  /** Bytes of requests that have begun to arrive. */
  get incompleteBytes(): number {
    return this.#incomplete.bytes;
  }

  /** Bytes of answers that were not read yet. */
  get unsentBytes(): number {
    return this.#unsent.bytes;
  }

  /** Binds the port; connections are accepted from `serve` on. */
  async listen(): Promise<number> {
    const { host, port } = this.#settings;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', error => reject(bindError(error, host, port)));
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  serve(dispatcher: Dispatcher): void {
    this.#dispatcher = dispatcher;
  }

  /** Takes no more requests, lets those under way be answered, and closes every connection. */
  async stop(abandonWaiters: () => void): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    const drained = new Promise<void>(resolve => {
      this.#allClosed = resolve;
    });
    for (const connection of this.#connections) connection.drain();
    abandonWaiters();
    if (this.#connections.size > 0) {
      const cancel = this.#settings.timers.schedule(DRAIN_MS, () => this.#abortAll());
      await drained;
      cancel();
    }
    await closed;
  }

  #abortAll(): void {
    for (const connection of this.#connections) connection.abort();
  }

  #accept(socket: Socket): void {
    const { metrics, limits, logger, sasl } = this.#settings;
    const dispatcher = this.#dispatcher;
    if (!dispatcher || this.#connections.size >= limits.connectionsMax) {
      const reason = dispatcher ? `more than ${limits.connectionsMax} connections` : 'not ready';
      logger.warn({ peer: socket.remoteAddress, reason }, 'connection refused');
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const session = new SaslSession(this.#credentials, sasl?.mechanisms);
    const connection = new Connection(
      socket,
      {
        settings: this.#settings,
        dispatcher,
        budget: this.#budget,
        memory: this.#memory,
        landing: this.#landing,
        incomplete: this.#incomplete,
        unsent: this.#unsent,
        closed: (one, why) => this.#forget(one, why),
      },
      { isAuthenticated: () => session.isAuthenticated, sasl: session },
    );
    this.#connections.add(connection);
    metrics.connectionOpened();
  }

  #forget(connection: Connection, reason: string): void {
    this.#connections.delete(connection);
    this.#settings.metrics.connectionClosed(reason);
    if (this.#connections.size === 0) this.#allClosed();
  }
}

function bindError(cause: Error, host: string, port: number): Error {
  if (errorCode(cause) === 'EADDRINUSE') {
    return new TidemarkError('BROKER_PORT_TAKEN', `port ${port} on ${host} is taken`, {
      cause,
      hint: 'Stop the program that listens there, or choose another port.',
      facts: { host, port },
    });
  }
  return new TidemarkError('BROKER_CANNOT_LISTEN', `cannot listen on ${host}:${port}`, {
    cause,
    facts: { host, port },
  });
}
