import { series } from '../promql/series.ts';

/** Pipelines that are in the state. */
export const inState = (state: string) => `max by (pipeline) (${series('pipeline_state', { state })}) == 1`;
