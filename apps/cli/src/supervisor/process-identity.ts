import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorCode, TidemarkError } from '@tidemark/kernel';

/**
 * A process that was started by us. Process ids are used again, so the id alone does not name a process: the moment
 * of its start, as the operating system tells it, does.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

/** The identity of a running process, or undefined when there is none with this id. */
export async function identify(
  pid: number,
  platform: string = process.platform,
): Promise<ProcessIdentity | undefined> {
  const started = platform === 'linux' ? await startedOnLinux(pid) : await startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.started === identity.started;
}

/**
 * Sends a signal to exactly this process; a process that is gone, or an id that was reused, is left alone.
 * @returns whether there was such a process
 * @throws TidemarkError PROCESS_FORBIDDEN when it belongs to another user
 */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isRunning(identity))) return false;
  return send(identity.pid, identity.pid, signal);
}

/** Kills a process that leads a group of its own, and with it everything that it started and that stayed in the group. */
export async function killGroup(leader: ProcessIdentity): Promise<boolean> {
  if (!(await isRunning(leader))) return false;
  return send(-leader.pid, leader.pid, 'SIGKILL');
}

function send(target: number, pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    if (errorCode(error) === 'EPERM') throw forbidden(pid);
    throw error;
  }
}

function forbidden(pid: number): TidemarkError {
  return new TidemarkError('PROCESS_FORBIDDEN', `process ${pid} belongs to another user`, {
    hint: 'Do this as the user who started the stack, or as root.',
    facts: { pid },
  });
}

/**
 * proc(5): field 22 of `stat` is the start in clock ticks since boot, so the boot belongs to it; a zombie (state Z)
 * does not run any more.
 */
async function startedOnLinux(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The command, in parentheses, may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${await bootId()}:${fields[19]}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return undefined;
    throw error;
  }
}

let boot: Promise<string> | undefined;

function bootId(): Promise<string> {
  boot ??= readFile('/proc/sys/kernel/random/boot_id', 'latin1').then(
    text => text.trim(),
    () => '', // hidden in some sandboxes; the ticks alone then have to do
  );
  return boot;
}

async function startedByPs(pid: number): Promise<string | undefined> {
  try {
    // One process asks what another one wrote down, so the answer must not depend on language or time zone.
    const env = { ...plainLocale, PATH: '/bin:/usr/bin' };
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { env });
    const [state = '', ...started] = stdout.trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw error; // no ps: nobody could be told from anybody
    return undefined; // ps exits with 1 when there is no such process
  }
}

const plainLocale = { LC_ALL: 'C', TZ: 'UTC' } as const;
