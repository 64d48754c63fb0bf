import { describeError, isTidemarkError } from './errors.ts';
import type { Service } from './lifecycle.ts';

/** The parts of `process` that a service's entry point needs; `main.ts` passes the real one. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
  readonly stderr: { write(text: string): unknown };
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
  try {
    const service = await compose(host.env);
    let stopping = false;
    const stop = () => {
      if (stopping) return;
      stopping = true;
      service.stop().then(
        () => host.exit(exitCodes.ok),
        (error: unknown) => fail(error),
      );
    };
    const fail = (error: unknown) => {
      host.stderr.write(`${name}: ${explainError(error)}\n`);
      host.exit(exitCodes.failed);
    };
    host.on('SIGTERM', stop);
    host.on('SIGINT', stop);
    if (host.env[stopWithParent] === '1') {
      host.stdin.once('end', stop);
      host.stdin.once('close', stop);
      host.stdin.resume();
    }
    await service.start();
  } catch (error) {
    host.stderr.write(`${name}: ${explainError(error)}\n`);
    host.exit(exitCodes.failed);
  }
}
