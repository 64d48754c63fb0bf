import { TidemarkError } from './errors.ts';

/** Something that runs: what every part of an app looks like to the file that composes it. */
export interface Service {
  /** Resolves when the service is ready to do its work. */
  start(): Promise<void>;
  /** Finishes or abandons work in flight and releases everything. */
  stop(): Promise<void>;
}

/**
 * Wraps naive start and stop functions with the contract that callers rely on: starts once however often it is
 * asked, may be stopped twice or before it started, a failed start may be tried again, and a stop that arrives
 * during a start waits for it and then stops. A start that fails releases what it took itself: it is not followed
 * by a stop.
 */
export function lifecycle(name: string, parts: { start(): Promise<void>; stop(): Promise<void> }): Service {
  let starting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;

  return {
    start() {
      if (stopping) {
        return Promise.reject(
          new TidemarkError('LIFECYCLE_STOPPED', `${name} was stopped and cannot be started again`),
        );
      }
      // Inside an async function, so that a start that throws at once rejects like any other.
      starting ??= (async () => parts.start())().catch((error: unknown) => {
        starting = undefined;
        throw error;
      });
      return starting;
    },
    stop() {
      stopping ??= (async () => {
        if (!starting) return;
        const started = await starting.then(
          () => true,
          () => false,
        );
        if (started) await parts.stop();
      })();
      return stopping;
    },
  };
}

/** Starts the services in order and stops them in reverse; a failed start stops what was already running. */
export function inOrder(name: string, services: readonly Service[]): Service {
  const running: Service[] = [];
  const stopAll = async () => {
    const failures: unknown[] = [];
    for (const service of running.splice(0).toReversed()) {
      await service.stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, `${name} did not stop cleanly`);
  };
  return lifecycle(name, {
    async start() {
      try {
        for (const service of services) {
          running.push(service);
          await service.start();
        }
      } catch (error) {
        await stopAll().catch(() => {});
        throw error;
      }
    },
    stop: stopAll,
  });
}
