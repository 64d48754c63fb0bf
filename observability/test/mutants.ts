import type { AlertingRule } from '../src/prometheus/rule-file.ts';
import { type Duration, durationOf, secondsOf } from '../src/promql/duration.ts';

/** A rule with one mistake in it. */
export interface Mutant<R> {
  readonly what: string;
  /** Undefined when the mistake is that the rule is not there. */
  readonly rule: R | undefined;
}

/** A number after a comparison, which is no comparison of labels. */
const threshold = /((?:[<>]=?|==|!=)\s*(?:bool\s+)?)(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.])/g;
const range = /\[(\d+)([smhd])\]/g;

/** Every rule that differs from the given one in one number or one window. */
export function expressionMutants(expr: string): readonly { readonly what: string; readonly expr: string }[] {
  const times10 = replaceEach(
    expr,
    threshold,
    ([, operator = '', number = '']) => `${operator}${Number(number) * 10}`,
  );
  const halved = replaceEach(expr, range, ([, number = '', unit = '']) => {
    const half = durationOf(Math.max(1, Math.floor(secondsOf(`${number}${unit}` as Duration) / 2)));
    return `[${half}]`;
  });
  return [...times10, ...halved].filter(mutant => mutant.expr !== expr);
}

function replaceEach(
  text: string,
  pattern: RegExp,
  by: (match: RegExpExecArray) => string,
): { what: string; expr: string }[] {
  return [...text.matchAll(pattern)].map(match => {
    const replaced = by(match);
    const expr = text.slice(0, match.index) + replaced + text.slice(match.index + match[0].length);
    return { what: `${match[0]} → ${replaced}`, expr };
  });
}

/** The rule removed, each threshold times ten, each window and each wait halved. */
export function alertMutants(rule: AlertingRule): readonly Mutant<AlertingRule>[] {
  const halved = (key: 'for' | 'keep_firing_for'): Mutant<AlertingRule>[] => {
    const wait = rule[key];
    if (wait === undefined) return [];
    const half = durationOf(Math.floor(secondsOf(wait) / 2));
    return [{ what: `${key}: ${wait} → ${half}`, rule: { ...rule, [key]: half } }];
  };
  return [
    { what: 'removed', rule: undefined },
    ...expressionMutants(rule.expr).map(({ what, expr }) => ({ what, rule: { ...rule, expr } })),
    ...halved('for'),
    ...halved('keep_firing_for'),
  ];
}
