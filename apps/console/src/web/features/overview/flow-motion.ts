/** How the flow between two stations moves, from its rate. Both grow with the logarithm: rates span decades. */

/** Drops on the line at once. */
export function particleCount(ratePerSec: number | null): number {
  if (ratePerSec === null || ratePerSec <= 0) return 0;
  return Math.min(4, 1 + Math.round(Math.log10(1 + ratePerSec)));
}

/** Seconds that a drop takes from station to station. */
export function travelSeconds(ratePerSec: number | null): number {
  if (ratePerSec === null || ratePerSec <= 0) return 4;
  return Math.max(1.1, 3.4 - Math.log10(1 + ratePerSec) * 0.7);
}
