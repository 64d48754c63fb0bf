/**
 * The frames inside CopyData during streaming replication
 * (PostgreSQL documentation, "Streaming Replication Protocol").
 *
 *   XLogData           'w'  int64 start LSN  int64 server end LSN  int64 server clock  bytes
 *   Primary keepalive  'k'  int64 server end LSN  int64 server clock  byte reply requested
 *   Standby status     'r'  int64 written  int64 flushed  int64 applied  int64 client clock  byte reply requested
 *
 * Clocks are microseconds since 2000-01-01 00:00 UTC.
 */
const tagXLogData = 0x77;
const tagKeepalive = 0x6b;
const tagStatus = 0x72;

/** Bytes of XLogData before the payload of the output plugin. */
export const xLogDataHead = 25;

const statusBytes = 34;
const postgresEpochMs = 946_684_800_000;

export interface Keepalive {
  /** Everything up to here has been decoded, and what was committed and published has been sent before. */
  readonly endLsn: bigint;
  readonly replyRequested: boolean;
}

export function isXLogData(frame: Buffer): boolean {
  return frame[0] === tagXLogData;
}

/** The keepalive in the frame, or undefined when it is another frame. */
export function readKeepalive(frame: Buffer): Keepalive | undefined {
  if (frame[0] !== tagKeepalive) return undefined;
  return { endLsn: frame.readBigUInt64BE(1), replyRequested: frame[17] === 1 };
}

/**
 * Tells the server how far we are. Only what is flushed moves the slot.
 * @param nowMs wall clock, milliseconds since the Unix epoch
 */
export function standbyStatus(confirmedLsn: bigint, nowMs: number, requestReply: boolean): Buffer {
  const frame = Buffer.alloc(statusBytes);
  frame[0] = tagStatus;
  frame.writeBigUInt64BE(confirmedLsn, 1);
  frame.writeBigUInt64BE(confirmedLsn, 9);
  frame.writeBigUInt64BE(confirmedLsn, 17);
  frame.writeBigInt64BE(BigInt(Math.round((nowMs - postgresEpochMs) * 1000)), 25);
  frame[33] = requestReply ? 1 : 0;
  return frame;
}

/** A server clock in milliseconds since the Unix epoch, fractions cut off. */
export function readClockMs(frame: Buffer, offset: number): number {
  const micros = frame.readInt32BE(offset) * 4_294_967_296 + frame.readUInt32BE(offset + 4);
  return Math.floor(micros / 1000) + postgresEpochMs;
}
