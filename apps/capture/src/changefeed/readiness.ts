import type { Changefeeds } from './changefeeds.ts';

/** What has to work for capture to do its job. */
export function readinessChecks(
  changefeeds: Changefeeds,
  ping: () => Promise<void>,
): Readonly<Record<'database' | 'broker' | 'changefeeds', () => Promise<void> | void>> {
  return {
    database: ping,
    broker() {
      for (const [id, { sinkError }] of changefeeds.statuses()) {
        if (sinkError !== undefined) throw new Error(`${id}: ${sinkError}`);
      }
    },
    changefeeds() {
      if (!changefeeds.isLoaded) throw new Error('not loaded yet');
      for (const [id, { state, streaming, error }] of changefeeds.statuses()) {
        if (state === 'failed') throw new Error(`${id} has failed: ${error?.message ?? 'no reason known'}`);
        if (!streaming)
          throw new Error(`${id} is not streaming yet${error === null ? '' : `: ${error.message}`}`);
      }
    },
  };
}
