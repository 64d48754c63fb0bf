export { type AlertSpec, alertNames, alerts } from './alerts/index.ts';
export { generate } from './generate.ts';
export { seriesIn } from './promql/names-in.ts';
export { defaultSettings, type Settings } from './settings.ts';
export { burnPairs, type Slo } from './slo.ts';
export { burnThreshold, checkSlo } from './slo-checks.ts';
export { type SloName, slos } from './slos.ts';
