import { performance } from 'node:perf_hooks';

/** What a person at the keyboard, a service manager or the end of a pipe asks of a running command. */
export interface Interruption {
  /** Aborted by the first request to end. */
  readonly interrupted: AbortSignal;
  /** Aborted by the second one: whoever asks again wants no more waiting. */
  readonly impatient: AbortSignal;
}

/** The parts of `process` that tell when to end. */
export interface SignalSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
}

/**
 * One Ctrl-C may arrive twice, from the terminal and from an npm that passes it on; what follows this closely is the
 * same one, milliseconds.
 */
const sameRequestMs = 300;

/** The reason of an interruption that only says that nobody reads the output any more. */
export const outputClosed = 'output closed';

/** Listens for everything that asks a command to end. */
export function watchInterruption(source: SignalSource): Interruption {
  const interrupted = new AbortController();
  const impatient = new AbortController();
  let firstAt = 0;
  const request = (reason: string) => {
    if (!interrupted.signal.aborted) {
      firstAt = performance.now();
      interrupted.abort(new Error(reason));
    } else if (performance.now() - firstAt > sameRequestMs) impatient.abort(new Error(reason));
  };
  source.on('SIGINT', () => request('SIGINT'));
  source.on('SIGTERM', () => request('SIGTERM'));
  watchHangup(source, request);
  watchOutput(source, request);
  watchParent(source, request);
  return { interrupted: interrupted.signal, impatient: impatient.signal };
}

/** A terminal that closes ends what runs in it. Without one, as under nohup or detached, there is nothing to hang up. */
function watchHangup(source: SignalSource, request: (reason: string) => void): void {
  const inTerminal = [source.stdin, source.stdout, source.stderr].some(stream => stream.isTTY);
  source.on('SIGHUP', () => inTerminal && request('SIGHUP'));
}

/** When nobody reads on, as after `tidemark logs | head`, there is nothing left to do. Other troubles only cost words. */
function watchOutput({ stdout, stderr }: SignalSource, request: (reason: string) => void): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') request(outputClosed);
  });
  stderr.on('error', () => {});
}

/** A supervisor holds the other end of our input: when it is gone, however it went, the input ends. */
function watchParent({ env, stdin }: SignalSource, request: (reason: string) => void): void {
  if (env['TIDEMARK_STOP_WITH_PARENT'] !== '1') return;
  stdin.once('end', () => request('parent gone'));
  stdin.once('error', () => request('parent gone'));
  stdin.resume();
}
