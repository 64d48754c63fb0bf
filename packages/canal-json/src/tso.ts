/**
 * TiDB's timestamps: milliseconds since the Unix epoch in the upper bits, an 18-bit counter below
 * (TiDB documentation, "TimeStamp Oracle (TSO) in TiDB").
 */
const counterBits = 18n;

/** The smallest TSO of a millisecond. */
export function tsoFromMs(timeMs: number): bigint {
  return BigInt(Math.trunc(timeMs)) << counterBits;
}

/** The millisecond that a TSO was issued in. */
export function tsoToMs(tso: bigint): number {
  return Number(tso >> counterBits);
}
