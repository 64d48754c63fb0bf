import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { describeError, errorCode } from '@tidemark/kernel';
import type { LogFile } from './log-file.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';
import type { Launch } from './step.ts';

/** How long the rest of the output is waited for after a process ended, when something it started holds its streams. */
const lastWordsMs = 250;

/** A process that was started once. */
export interface RunningProcess {
  readonly alive: boolean;
  /** Undefined when it could not be started, or was gone before it could be looked at. */
  readonly identity: Promise<ProcessIdentity | undefined>;
  /** Resolves with the way in which it ended, in words, once its output is in the log. */
  readonly ended: Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it, and what it started and left behind in its group, at once. */
  kill(): void;
}

/** Starts a process whose output goes to a log. */
export function runProcess(launch: Launch, log: LogFile): RunningProcess {
  const child: ChildProcess = spawn(launch.command, launch.args, {
    cwd: launch.cwd,
    env: { ...launch.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C reaches the supervisor only, which stops the services in order.
    detached: true,
    ...(launch.user ? { uid: launch.user.uid, gid: launch.user.gid } : {}),
  });
  // Nothing is ever written to it; it is there because its end tells the process that we are gone.
  child.stdin?.on('error', () => {});
  const output = Promise.all([collect(child.stdout, log), collect(child.stderr, log)]);
  const ended = outcome(child).then(async how => {
    killGroup(child);
    await Promise.race([output, delay(lastWordsMs)]);
    return how;
  });
  return {
    get alive() {
      return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
    },
    identity: child.pid === undefined ? Promise.resolve(undefined) : identify(child.pid),
    ended,
    signal: signal => void child.kill(signal),
    kill: () => killGroup(child),
  };
}

/** Resolves once everything is in the log. There is no stream when the process could not be started. */
async function collect(stream: Readable | null, log: LogFile): Promise<void> {
  if (!stream) return;
  const input = log.input();
  stream.on('data', (chunk: Buffer) => input.write(chunk));
  await new Promise<void>(resolve => {
    stream.once('close', () => {
      input.end();
      resolve();
    });
    stream.on('error', () => {});
  });
}

function outcome(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.on('error', error => resolve(`could not be started: ${describeError(error)}`));
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
    });
  });
}

/** What a service started must not hold its ports when the service is started again. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // No group of this id: everything has ended. macOS answers EPERM where only a zombie is left.
    if (errorCode(error) !== 'ESRCH' && errorCode(error) !== 'EPERM') throw error;
  }
}
