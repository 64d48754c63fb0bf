import { TidemarkError } from '@tidemark/kernel';
import type { Disk, DiskFile } from './disk.ts';

/** A file system that lives as long as the process: the in-memory broker, and tests of storage. */
export function memoryDisk(): Disk {
  const files = new Map<string, MemoryFile>();
  const under = (path: string) =>
    [...files.keys()].filter(name => name === path || name.startsWith(`${path}/`));
  return {
    async open(path) {
      const file = files.get(path) ?? new MemoryFile();
      files.set(path, file);
      return file;
    },
    async readWhole(path) {
      const file = files.get(path);
      return file ? file.read(0, await file.size()) : null;
    },
    async list(path) {
      return [...new Set(under(path).map(name => name.slice(path.length + 1).split('/')[0] ?? ''))];
    },
    async makeFolder() {},
    async rename(from, to) {
      for (const name of under(from)) {
        const file = files.get(name);
        files.delete(name);
        if (file) files.set(to + name.slice(from.length), file);
      }
    },
    async remove(path) {
      for (const name of under(path)) files.delete(name);
    },
    async syncFolder() {},
  };
}

/** Content as the list of the buffers that were written, so that appending copies nothing. */
class MemoryFile implements DiskFile {
  #chunks: { readonly position: number; readonly bytes: Buffer }[] = [];
  #size = 0;

  async write(buffers: readonly Buffer[], position: number): Promise<void> {
    if (position < this.#size) await this.truncate(position);
    if (position > this.#size)
      throw new TidemarkError('DISK_HOLE', `write at ${position} beyond the end ${this.#size}`);
    for (const bytes of buffers) {
      if (bytes.length === 0) continue;
      this.#chunks.push({ position: this.#size, bytes: withoutSlack(bytes) });
      this.#size += bytes.length;
    }
  }

  async read(position: number, length: number): Promise<Buffer> {
    const end = Math.min(position + length, this.#size);
    if (end <= position) return Buffer.alloc(0);
    const parts: Buffer[] = [];
    for (let index = this.#chunkAt(position), at = position; at < end; index += 1) {
      const chunk = this.#chunks[index];
      if (!chunk) break;
      parts.push(chunk.bytes.subarray(at - chunk.position, end - chunk.position));
      at = chunk.position + chunk.bytes.length;
    }
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  async size(): Promise<number> {
    return this.#size;
  }

  async truncate(size: number): Promise<void> {
    while (this.#size > size) {
      const last = this.#chunks.pop();
      if (!last) break;
      this.#size = last.position;
      if (last.position < size)
        await this.write([last.bytes.subarray(0, size - last.position)], last.position);
    }
  }

  async sync(): Promise<void> {}

  async close(): Promise<void> {}

  /** Index of the chunk that holds the position, by bisection. */
  #chunkAt(position: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#chunks[middle]?.position ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** A small buffer is often a view of a large piece of memory, which would live as long as the view. */
function withoutSlack(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength <= 2 * bytes.length) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}
