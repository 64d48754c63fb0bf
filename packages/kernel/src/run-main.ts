import { describeError, isTidemarkError } from './errors.ts';
import type { Service } from './lifecycle.ts';

interface Output {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** The parts of `process` that a service's entry point needs; `main.ts` passes the real one. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
  readonly stdout: Output;
  readonly stderr: Output & { write(text: string): unknown };
  readonly stdin: { once(event: 'end' | 'close', listener: () => void): unknown; resume(): unknown };
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  exit(code: number): unknown;
}

/**
 * Set by a supervisor that holds the other end of the service's stdin: when the supervisor is gone, however it went,
 * the input ends and the service stops as it would on SIGTERM.
 */
const stopWithParent = 'TIDEMARK_STOP_WITH_PARENT';

/** Exit codes of every Tidemark process. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

/** What a person reads when a process ends because of an error: one or two lines for a mistake, a stack for a defect. */
export function explainError(error: unknown): string {
  if (!isTidemarkError(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  return error.hint ? `${describeError(error)}\n  ${error.hint}` : describeError(error);
}

/**
 * Runs a service as a process: composes it from the environment, starts it, and stops it once on SIGINT or SIGTERM.
 * Ends with exit code 0 after a clean stop and 1 after a failure, which is explained on stderr.
 */
export async function runMain(
  host: Host,
  name: string,
  compose: (env: Host['env']) => Service | Promise<Service>,
): Promise<void> {
  // Whoever read our words may be gone, as after kill -9 of the supervisor; work in flight is finished all the same.
  host.stdout.on('error', () => {});
  host.stderr.on('error', () => {});
  let ending = false;
  const end = (error?: unknown) => {
    if (error !== undefined) host.stderr.write(`${name}: ${explainError(error)}\n`);
    host.exit(error === undefined ? exitCodes.ok : exitCodes.failed);
  };
  const stopOnce = (service: Service) => () => {
    if (ending) return;
    ending = true;
    service.stop().then(() => end(), end);
  };
  try {
    const service = await compose(host.env);
    listen(host, stopOnce(service));
    await service.start();
  } catch (error) {
    // A start that a stop has broken off is part of an orderly end, which decides on the exit code.
    if (ending) return;
    ending = true;
    end(error);
  }
}

function listen(host: Host, stop: () => void): void {
  host.on('SIGTERM', stop);
  host.on('SIGINT', stop);
  if (host.env[stopWithParent] !== '1') return;
  host.stdin.once('end', stop);
  host.stdin.once('close', stop);
  host.stdin.resume();
}
