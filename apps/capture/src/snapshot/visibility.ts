/**
 * A snapshot of PostgreSQL, `xmin:xmax:xip…` (PostgreSQL documentation, "Transaction ID and Snapshot Information
 * Functions"): which transactions a statement sees.
 */
export interface Visibility {
  /** True when the statement saw what the transaction did. `xid` is the 32-bit number of the stream. */
  sees(xid: number): boolean;
  /** Every transaction below has ended. */
  readonly xmin: bigint;
  /** No transaction from here on had begun. */
  readonly xmax: bigint;
}

const epoch = 1n << 32n;

export function parseSnapshot(text: string): Visibility {
  const match = /^(\d+):(\d+):([\d,]*)$/.exec(text);
  if (!match) throw new RangeError(`not a snapshot: ${text}`);
  const [, xminText = '0', xmaxText = '0', xipText = ''] = match;
  const xmin = BigInt(xminText);
  const xmax = BigInt(xmaxText);
  const inProgress = new Set(xipText.split(',').filter(Boolean).map(BigInt));
  return {
    xmin,
    xmax,
    sees(xid) {
      const full = nearest(BigInt(xid), xmax);
      return full < xmin || (full < xmax && !inProgress.has(full));
    },
  };
}

/** The 64-bit number that ends in the 32 bits and lies nearest to another; transactions under way are never far apart. */
function nearest(low: bigint, to: bigint): bigint {
  const base = (to & ~(epoch - 1n)) | low;
  if (base > to + epoch / 2n) return base - epoch;
  return base + epoch / 2n < to ? base + epoch : base;
}
