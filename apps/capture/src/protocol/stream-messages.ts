import { readClockMs } from './wal-frame.ts';

/** The end of a streamed transaction that is to take effect. */
export interface StreamCommit {
  readonly xid: number;
  /** LSN of the commit record. */
  readonly commitLsn: bigint;
  /** First byte after the commit record. */
  readonly endLsn: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly commitMs: number;
}

/** The end of a streamed transaction, or of a part of it between savepoints, that is to have no effect. */
export interface StreamAbort {
  readonly xid: number;
  /** The part; equal to `xid` when all of the transaction is meant. */
  readonly subXid: number;
}

/**
 * Messages of pgoutput from protocol version 2 on, by which the server sends a large transaction before its end, in
 * blocks among which other transactions stand (PostgreSQL documentation, "Logical Replication Message Formats"):
 *
 *   S int32 xid, int8 first block          E end of the block
 *   c int32 xid, int8 flags, int64 commit LSN, int64 end LSN, int64 commit clock
 *   A int32 xid, int32 number of the part
 *
 * Inside a block the messages R, Y, I, U, D, T and M have an int32 behind their letter: the number of the part of the
 * transaction that they belong to.
 */
export const streamTags = {
  start: 0x53,
  stop: 0x45,
  commit: 0x63,
  abort: 0x41,
} as const;

/** Bytes of the number that a message inside a block has behind its letter. */
export const partNumberBytes = 4;

export function readStreamStart(bytes: Buffer, body: number): number {
  return bytes.readUInt32BE(body);
}

export function readStreamCommit(bytes: Buffer, body: number): StreamCommit {
  return {
    xid: bytes.readUInt32BE(body),
    commitLsn: bytes.readBigUInt64BE(body + 5),
    endLsn: bytes.readBigUInt64BE(body + 13),
    commitMs: readClockMs(bytes, body + 21),
  };
}

export function readStreamAbort(bytes: Buffer, body: number): StreamAbort {
  return { xid: bytes.readUInt32BE(body), subXid: bytes.readUInt32BE(body + 4) };
}
