import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '@tidemark/kernel';
import type { PgoutputHandler, PgoutputReader } from '../protocol/pgoutput.ts';
import {
  partNumberBytes,
  readStreamAbort,
  readStreamCommit,
  readStreamStart,
  type StreamAbort,
  type StreamCommit,
  streamTags,
} from '../protocol/stream-messages.ts';
import type { Outbox } from './outbox.ts';
import { SpoolSpace, spoolFull } from './spool-space.ts';
import { TransactionSpool } from './transaction-spool.ts';

export interface StreamedTransactionsOptions {
  readonly handler: Pick<PgoutputHandler, 'begin' | 'commit'>;
  readonly reader: PgoutputReader;
  /** Folder of this session's own for the files of transactions. */
  readonly folder: string;
  /** Disk that the files may take together. */
  readonly bytesMax: number;
  /** Hears by how many bytes the files have grown, or shrunk when it is less than zero. */
  readonly onSpooled: (bytes: number) => void;
  /** Asks for no further frame until the work is done. */
  readonly hold: (work: Promise<void>) => void;
  /** Takes what the handler emits. */
  readonly outbox: Pick<Outbox, 'isFull' | 'waitForRoom'>;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

/**
 * Stands between the stream and the reader. Large transactions come in blocks before anybody knows whether they will
 * take effect: their messages are put aside, one file for each transaction, and handed on when the transaction commits,
 * as if they came only then. So the changes of a streamed transaction have the place and the numbers that they would
 * have if the server had kept it until its commit.
 *
 * Descriptions of tables are handed on although the part of the transaction that brought them was rolled back: the
 * server does not repeat them for what follows, and it describes a table anew when a rollback has changed it.
 */
export class StreamedTransactions {
  readonly #options: StreamedTransactionsOptions;
  readonly #space: SpoolSpace;
  readonly #spools = new Map<number, TransactionSpool>();
  #current: TransactionSpool | undefined;
  #interruption: Promise<void> | undefined;
  #replaying: Promise<void> | undefined;

  constructor(options: StreamedTransactionsOptions) {
    this.#options = options;
    this.#space = new SpoolSpace(options.folder, options.bytesMax, options.onSpooled);
  }

  /**
   * Removes what a session that died has left behind, and makes room for the files of this one.
   * @throws TidemarkError `SPOOL_FULL` when there is no place for files
   */
  async open(): Promise<void> {
    const { folder } = this.#options;
    try {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
    } catch (error) {
      throw spoolFull(folder, describeError(error));
    }
  }

  /** Reads the message that fills the buffer from `start`. */
  read(bytes: Buffer, start: number): void {
    const body = start + 1;
    switch (bytes[start] ?? 0) {
      case streamTags.start:
        this.#current = this.#spoolOf(readStreamStart(bytes, body));
        return;
      case streamTags.stop:
        this.#current = undefined;
        return;
      case streamTags.commit:
        this.#commit(readStreamCommit(bytes, body));
        return;
      case streamTags.abort:
        this.#abort(readStreamAbort(bytes, body));
        return;
      default:
        if (this.#current === undefined) this.#options.reader.read(bytes, start);
        else this.#putAside(this.#current, bytes, start);
    }
  }

  /** What a message needs before the next one is read. False when no transaction is being handed on. */
  interrupt(work: Promise<void>): boolean {
    if (this.#replaying === undefined) return false;
    this.#interruption = work;
    return true;
  }

  /** Removes the files, once the signal has aborted. */
  async close(): Promise<void> {
    await this.#replaying?.catch(() => {});
    await Promise.allSettled([...this.#spools.values()].map(spool => spool.discard()));
    // What cannot be removed now is removed when the next session opens.
    await rm(this.#options.folder, { recursive: true, force: true }).catch(() => {});
  }

  #spoolOf(xid: number): TransactionSpool {
    const known = this.#spools.get(xid);
    if (known !== undefined) return known;
    const spool = new TransactionSpool(join(this.#options.folder, String(xid)), this.#space);
    this.#spools.set(xid, spool);
    return spool;
  }

  #putAside(spool: TransactionSpool, bytes: Buffer, start: number): void {
    const letter = bytes[start] ?? 0;
    const part = isDescription(letter) ? noPart : bytes.readUInt32BE(start + 1);
    const written = spool.append(part, letter, bytes, start + 1 + partNumberBytes);
    if (written !== undefined) this.#options.hold(written);
  }

  #abort({ xid, subXid }: StreamAbort): void {
    const spool = this.#spools.get(xid);
    if (spool === undefined) return;
    if (subXid !== xid) {
      spool.abort(subXid);
      return;
    }
    this.#spools.delete(xid);
    this.#options.hold(spool.discard());
  }

  #commit(commit: StreamCommit): void {
    const spool = this.#spoolOf(commit.xid);
    this.#replaying = this.#replay(spool, commit).finally(() => {
      this.#replaying = undefined;
    });
    this.#options.hold(this.#replaying);
  }

  async #replay(spool: TransactionSpool, { xid, commitLsn, commitMs, endLsn }: StreamCommit): Promise<void> {
    const { handler, reader, outbox, signal } = this.#options;
    handler.begin({ xid, commitLsn, commitMs });
    await spool.replay((bytes, start) => {
      reader.read(bytes, start);
      const goesOn = this.#interruption === undefined && !outbox.isFull && !signal.aborted;
      return goesOn ? undefined : this.#wait();
    });
    handler.commit(endLsn);
    this.#spools.delete(xid);
    await spool.discard();
  }

  async #wait(): Promise<void> {
    const interruption = this.#interruption;
    this.#interruption = undefined;
    await interruption;
    await this.#options.outbox.waitForRoom(this.#options.signal);
  }
}

/** Where the transactions of a changefeed lie while they are under way. */
export function transactionsFolder(dataDir: string, changefeedId: string): string {
  return join(dataDir, folderName, changefeedId);
}

/** Removes what a process that died has left behind, also of changefeeds that are gone since. */
export async function removeLeftovers(dataDir: string): Promise<void> {
  // Where it fails, the sessions find out and say so.
  await rm(join(dataDir, folderName), { recursive: true, force: true }).catch(() => {});
}

const folderName = 'transactions';

/** Table and type descriptions. */
function isDescription(letter: number): boolean {
  return letter === 0x52 || letter === 0x59;
}

/** Number that no part of a transaction has (PostgreSQL, InvalidTransactionId). */
const noPart = 0;
