import type { Clock } from '@tidemark/kernel';

/** Ids above one and up to another. */
export interface IdRange {
  readonly above: bigint;
  readonly upTo: bigint;
}

export interface RangeScan {
  readonly range: IdRange;
  readonly direction: 'asc' | 'desc';
  /** True when one question over the whole range is cheap. */
  readonly whole: boolean;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** Ids of the first part, and the time that a part should take: parts double until they take about this long. */
const firstPart = 20_000n;
const partMsWanted = 150;
/** After this long the answer goes out with what was found, and says where to go on. */
const scanMsMax = 1500;

/**
 * Looks through a range of ids in parts. A filter that no index serves may match one row in millions; in parts, each
 * statement stays short, memory stays flat, and the question can be answered in time with a place to continue.
 * @param look searches one part; answers the id after which it stopped because enough was found, else undefined
 * @returns the id up to which everything was looked at: going down, the lowest such id; going up, the highest
 */
export async function scanRanges(
  { range, direction, whole, clock }: RangeScan,
  look: (part: IdRange) => Promise<bigint | undefined>,
): Promise<bigint> {
  const begin = clock.monotonic();
  let size = whole ? range.upTo - range.above : firstPart;
  let rest = range;
  while (rest.above < rest.upTo) {
    const partBegin = clock.monotonic();
    const part = takePart(rest, direction, size);
    const stoppedAt = await look(part);
    if (stoppedAt !== undefined) return stoppedAt;
    rest =
      direction === 'asc' ? { above: part.upTo, upTo: rest.upTo } : { above: rest.above, upTo: part.above };
    const now = clock.monotonic();
    if (now - begin > scanMsMax) break;
    if (now - partBegin < partMsWanted) size *= 2n;
  }
  return direction === 'asc' ? rest.above : rest.upTo + 1n;
}

function takePart({ above, upTo }: IdRange, direction: 'asc' | 'desc', size: bigint): IdRange {
  if (upTo - above <= size) return { above, upTo };
  return direction === 'asc' ? { above, upTo: above + size } : { above: upTo - size, upTo };
}
