import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Memory of a process and its descendants, bytes. On Linux the proportional set size, in which pages that several
 * processes share count once in all (proc(5), smaps_rollup); elsewhere the resident set as `ps` tells it.
 */
export async function memoryOf(pid: number): Promise<number | null> {
  return process.platform === 'linux' ? linuxMemory(pid) : residentByPs(pid);
}

async function linuxMemory(pid: number): Promise<number | null> {
  const family = await descendants(pid);
  const sizes = await Promise.all(family.map(proportionalSize));
  const known = sizes.filter(size => size !== null);
  return known.length === 0 ? null : known.reduce((sum, size) => sum + size, 0);
}

async function proportionalSize(pid: number): Promise<number | null> {
  try {
    const match = /^Pss:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return match ? Number(match[1]) * 1024 : null;
  } catch {
    return null; // ended meanwhile, or another user's process
  }
}

async function descendants(root: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (stat !== '') parents.set(Number(name), parent);
  }
  const family = [root];
  for (const member of family) {
    for (const [pid, parent] of parents) if (parent === member) family.push(pid);
  }
  return family;
}

async function residentByPs(pid: number): Promise<number | null> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
    return Number(stdout.trim()) * 1024;
  } catch {
    return null;
  }
}
