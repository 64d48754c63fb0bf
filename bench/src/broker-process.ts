import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { systemClock } from '@tidemark/kernel';
import { apiVersionsFrame } from './broker-frames.ts';

const probeEveryMs = 2;
const probeWithinMs = 60_000;

/** Resolves when a broker on this port has answered ApiVersions. */
export async function firstAnswer(port: number): Promise<void> {
  const deadline = systemClock.monotonic() + probeWithinMs;
  while (!(await answers(port))) {
    if (systemClock.monotonic() > deadline) throw new Error(`nothing answered on port ${port}`);
    await systemClock.sleep(probeEveryMs);
  }
}

const answers = (port: number): Promise<boolean> =>
  ask(port, apiVersionsFrame()).then(
    () => true,
    () => false,
  );

/** The first bytes of the answer to one request on a connection of its own. */
export function ask(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.once('data', answer => {
      socket.destroy();
      resolve(answer);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the broker closed the connection')));
  });
}

/** Memory of a process in megabytes of 10^6 bytes: proportional share, and resident (proc(5), smaps_rollup). */
export interface Memory {
  readonly pssMb: number;
  readonly rssMb: number;
}

export async function memoryOf(pid: number): Promise<Memory> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const megabytes = (name: string) => {
    const kibibytes = Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]);
    return Math.round((kibibytes * 1024) / 1e5) / 10;
  };
  return { pssMb: megabytes('Pss'), rssMb: megabytes('Rss') };
}

/** Ticks a second in which Linux counts a process's time (sysconf(_SC_CLK_TCK), 100 on every common machine). */
const ticksPerSec = 100;

/** Seconds of processor time that a process and its threads have used. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSec; // utime and stime
}
