import { TidemarkError } from '@tidemark/kernel';

/** A length of time as Prometheus writes it, with one unit: `5m`. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`;

const unitSeconds = { d: 86_400, h: 3600, m: 60, s: 1 } as const;

export function secondsOf(duration: Duration): number {
  const unit = duration.at(-1) as keyof typeof unitSeconds;
  return Number(duration.slice(0, -1)) * unitSeconds[unit];
}

/** In the largest unit that leaves a whole number; seconds are whole. */
export function durationOf(seconds: number): Duration {
  if (!Number.isInteger(seconds)) throw new RangeError(`${seconds} s is not a whole number of seconds`);
  const [unit, size] = Object.entries(unitSeconds).find(
    ([, each]) => seconds % each === 0 && seconds > 0,
  ) ?? ['s', 1];
  return `${seconds / size}${unit}` as Duration;
}

/** How lengths of time are written: as declared, or shortened for a drill. */
export interface Times {
  /** A window of samples. It never gets shorter than what a rate needs. */
  window(declared: Duration): Duration;
  /** A time to wait. */
  wait(declared: Duration): Duration;
  /** How often something is looked at. */
  interval(declared: Duration): Duration;
  /** Declared seconds that stand in an expression, as the horizon of a prediction does. */
  seconds(declared: Duration): number;
  /** How often targets are scraped. */
  readonly scrape: Duration;
}

/** Samples that a window must hold so that a rate over it means something although one scrape fails. */
export const samplesMin = 4;

const declaredScrape: Duration = '10s';

/**
 * Divides every length of time by `scale`, so that a drill sees in a minute what takes an hour in earnest. The rules
 * stay the same otherwise.
 */
export function timesAt(scale = 1): Times {
  if (!(scale >= 1)) {
    throw new TidemarkError('SCALE_INVALID', `a scale of ${scale} would lengthen the windows`, {
      hint: 'Give a number of at least 1; 60 turns an hour into a minute.',
    });
  }
  const divided = (declared: Duration, least: number) =>
    Math.max(least, Math.round(secondsOf(declared) / scale));
  const scrapeSeconds = divided(declaredScrape, 1);
  return {
    window: declared => durationOf(divided(declared, samplesMin * scrapeSeconds)),
    wait: declared => durationOf(divided(declared, 1)),
    interval: declared => durationOf(divided(declared, 1)),
    seconds: declared => divided(declared, 1),
    scrape: durationOf(scrapeSeconds),
  };
}
