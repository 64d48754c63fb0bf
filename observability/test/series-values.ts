/** Values of a series in promtool's notation, sample after sample. */
export type Values = string;

/** The same value again and again. */
export const flat = (value: number, samples: number): Values => `${value}x${samples - 1}`;
/** From a value on, growing by a step with each sample. */
export const ramp = (from: number, step: number, samples: number): Values =>
  `${from}${step < 0 ? '' : '+'}${step}x${samples - 1}`;
/** Samples that are not there: the target was not scraped. */
export const gap = (samples: number): Values => `_x${samples}`;
/** One after the other. */
export const inTurn = (...parts: readonly Values[]): Values => parts.join(' ');
/** The same parts again and again. */
export const repeated = (times: number, parts: readonly Values[]): readonly Values[] =>
  Array.from({ length: times }, () => parts).flat();
