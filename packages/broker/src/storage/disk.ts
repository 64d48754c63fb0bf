/**
 * The few things storage asks of a file system. Production uses the machine's; tests and brokers without a data
 * folder use one in memory; the crash tests use one that loses what was not synced.
 */
export interface Disk {
  /** Opens for reading and writing at positions, creating the file when it is absent. */
  open(path: string): Promise<DiskFile>;
  /** The whole content, or null when there is no such file. */
  readWhole(path: string): Promise<Buffer | null>;
  /** Names in a folder; empty when it does not exist. */
  list(path: string): Promise<readonly string[]>;
  makeFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a folder with all it contains; absence is no error. */
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in the folder survive a power loss. */
  syncFolder(path: string): Promise<void>;
}

export interface DiskFile {
  /** Writes all of the buffers one after another; rejects when not everything could be written. */
  write(buffers: readonly Buffer[], position: number): Promise<void>;
  /**
   * Up to `length` bytes; fewer at the end of the file. `into` is memory that may be used for them when it is large
   * enough; a disk that has better memory for them leaves it alone.
   */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
  size(): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Makes the content survive a power loss. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
