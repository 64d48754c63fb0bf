import { readSync, writeSync, writevSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { errorCode } from '@tidemark/kernel';
import type { Disk, DiskFile } from './disk.ts';
import { SmallTransfers } from './small-transfers.ts';

/** Most buffers one writev takes on Linux and macOS (IOV_MAX). */
const BUFFERS_PER_WRITE = 1024;

const small = new SmallTransfers();

/** The machine's own file system. */
export const nodeDisk: Disk = {
  async open(path) {
    // Not "a+": on Linux appending mode ignores positions. Not "w+": that would empty the file.
    const handle = await open(path, 'r+').catch(async (error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error;
      return open(path, 'wx+');
    });
    return new NodeFile(handle);
  },
  async readWhole(path) {
    return absentAs(null, readFile(path));
  },
  async list(path) {
    return absentAs([], readdir(path));
  },
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
  rename,
  async remove(path) {
    await rm(path, { recursive: true, force: true });
  },
  async syncFolder(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } catch (error) {
      // Some file systems cannot sync a folder; there the rename is as durable as it gets.
      if (!['EINVAL', 'EPERM', 'EISDIR'].includes(errorCode(error) ?? '')) throw error;
    } finally {
      await handle.close();
    }
  },
};

async function absentAs<T>(fallback: T, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return fallback;
    throw error;
  }
}

class NodeFile implements DiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(buffers: readonly Buffer[], position: number): Promise<void> {
    let at = position;
    for (let index = 0; index < buffers.length; index += BUFFERS_PER_WRITE) {
      at += await this.#writeGroup(buffers.slice(index, index + BUFFERS_PER_WRITE), at);
    }
  }

  async read(position: number, length: number, into?: Buffer): Promise<Buffer> {
    const buffer = into && into.length >= length ? into : Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const bytesRead = await this.#readOnce(buffer, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  truncate(size: number): Promise<void> {
    return this.#handle.truncate(size);
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #readOnce(buffer: Buffer, at: number, length: number, position: number): Promise<number> {
    if (small.fits(length)) {
      return small.run(() => readSync(this.#handle.fd, buffer, at, length, position));
    }
    return (await this.#handle.read(buffer, at, length, position)).bytesRead;
  }

  /** A full disk may take a part of what it was given; the next call then says why. */
  async #writeGroup(buffers: readonly Buffer[], position: number): Promise<number> {
    let total = 0;
    for (const buffer of buffers) total += buffer.length;
    let written = 0;
    let rest = buffers;
    while (written < total) {
      const bytesWritten = await this.#writeOnce(rest, total - written, position + written);
      written += bytesWritten;
      if (written < total) rest = withoutFirst(rest, bytesWritten);
    }
    return total;
  }

  async #writeOnce(buffers: readonly Buffer[], bytes: number, position: number): Promise<number> {
    const [only, ...more] = buffers;
    if (!small.fits(bytes)) return (await this.#handle.writev(buffers as Buffer[], position)).bytesWritten;
    const { fd } = this.#handle;
    return small.run(() =>
      only && more.length === 0 ? writeSync(fd, only, 0, bytes, position) : writevSync(fd, buffers, position),
    );
  }
}

function withoutFirst(buffers: readonly Buffer[], bytes: number): Buffer[] {
  const rest: Buffer[] = [];
  let skip = bytes;
  for (const buffer of buffers) {
    if (skip < buffer.length) rest.push(buffer.subarray(skip));
    skip = Math.max(0, skip - buffer.length);
  }
  return rest;
}
