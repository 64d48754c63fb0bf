import type { Slo } from '../../src/slo.ts';
import { burnPairs } from '../../src/slo.ts';
import { burnThreshold } from '../../src/slo-checks.ts';
import { slos } from '../../src/slos.ts';
import type { AlertCase } from '../alert-case.ts';
import { flat, inTurn } from '../series-values.ts';

/**
 * The burn alerts read what rules record, so their cases say what was recorded: they need no month of samples. Each
 * pair is shown alone: both windows over the threshold, one of them under it, and too few bad events.
 */
export const burnCases: readonly AlertCase[] = slos.flatMap((slo: Slo) =>
  burnPairs.flatMap(pair => pairCases(slo, pair)),
);

function pairCases(slo: Slo, pair: (typeof burnPairs)[number]): readonly AlertCase[] {
  const threshold = burnThreshold(slo, pair.factor);
  const ratio = Number((threshold * 1.25).toPrecision(6));
  const quiet = Number((threshold * 0.75).toPrecision(6));
  const enough = slo.badEventsMin;
  const name = `${pair.long} and ${pair.short}`;
  const series = (long: string, short: string, bad: string) => ({
    [`slo:error_ratio:increase${pair.long}{slo="${slo.name}"}`]: long,
    [`slo:error_ratio:increase${pair.short}{slo="${slo.name}"}`]: short,
    [`slo:bad_events:increase${pair.long}{slo="${slo.name}"}`]: bad,
  });
  const base = { alert: slo.alert, severity: pair.severity, interval: '1m' } as const;
  const firing = [
    {
      labels: { slo: slo.name },
      summary: `${slo.title}: ${percent(ratio)} of what counts was bad, against ${percent(1 - slo.objective)} that may be.`,
    },
  ];
  const burst = (high: number, low: number) => inTurn(flat(low, 4), flat(high, 4), flat(low, 4));
  return [
    {
      ...base,
      what: `${name} burn, and the short one ends first`,
      series: series(inTurn(flat(quiet, 2), flat(ratio, 10)), burst(ratio, quiet), flat(enough, 12)),
      expect: [{ at: '3m' }, { at: '4m', firing }, { at: '7m', firing }, { at: '8m' }],
    },
    {
      ...base,
      what: `${name}: what is bad now does not matter yet`,
      series: series(flat(quiet, 12), flat(ratio, 12), flat(enough, 12)),
      expect: [{ at: '8m' }],
    },
    {
      ...base,
      what: `${name}: one bad event less than it takes`,
      series: series(flat(ratio, 12), flat(ratio, 12), flat(enough - 1, 12)),
      expect: [{ at: '8m' }],
    },
  ];
}

/** As Prometheus writes a share: four digits. */
function percent(share: number): string {
  return `${Number((share * 100).toPrecision(4))}%`;
}
