import { alerts } from '../../src/alerts/index.ts';
import { type Duration, durationOf, secondsOf } from '../../src/promql/duration.ts';
import type { AlertCase, Firing } from '../alert-case.ts';
import { flat, inTurn, type Values } from '../series-values.ts';

export interface Crossing {
  readonly alert: string;
  readonly what: string;
  /** The series whose value becomes bad and good again, and its values before, while and after. */
  readonly series: string;
  readonly good: number;
  readonly bad: number;
  /** Fits into what the alert waits for several times, so that a shorter wait would be noticed. */
  readonly interval: Duration;
  /** Series that stay as they are. */
  readonly beside?: Readonly<Record<string, Values>>;
  readonly firing: Firing;
}

const goodSamples = 4;
const badSamplesMore = 4;

/**
 * A value crosses the threshold, stays, and goes back: silent just before the wait is over, firing when it is, and
 * silent again, after the time that the alert is kept.
 */
export function crossing(given: Crossing): AlertCase {
  const { alert, what, series, good, bad, interval, beside = {}, firing } = given;
  const spec = alerts.find(({ name }) => name === alert);
  if (!spec) throw new Error(`there is no alert ${alert}`);
  const step = secondsOf(interval);
  const wait = spec.for ? secondsOf(spec.for) : 0;
  const kept = spec.keepFiringFor ? secondsOf(spec.keepFiringFor) : 0;
  const badSamples = wait / step + badSamplesMore;
  const start = goodSamples * step;
  const end = start + badSamples * step;
  const at = (seconds: number) => durationOf(seconds);
  return {
    alert,
    what,
    interval,
    series: {
      [series]: inTurn(flat(good, goodSamples), flat(bad, badSamples), flat(good, kept / step + 4)),
      ...beside,
    },
    expect: [
      { at: at(start - step) },
      ...(wait > 0 ? [{ at: at(start + wait - step) }] : []),
      { at: at(start + wait), firing: [firing] },
      { at: at(end - step), firing: [firing] },
      ...(kept > 0 ? [{ at: at(end + kept - step), firing: [firing] }] : []),
      { at: at(end + kept + step) },
    ],
  };
}
