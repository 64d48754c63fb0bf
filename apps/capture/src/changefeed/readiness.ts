import type { Changefeeds } from './changefeeds.ts';

/**
 * What has to work for capture to do its job. A database of somebody else that is away is no reason to start the service
 * again or to take it out of use; its changefeed says so in its state and metrics.
 */
export function readinessChecks(
  changefeeds: Pick<Changefeeds, 'isLoaded' | 'statuses'>,
  ping: () => Promise<void>,
): Readonly<Record<'database' | 'broker' | 'changefeeds', () => Promise<void> | void>> {
  return {
    database: ping,
    broker() {
      for (const [id, { sinkError, isOwn }] of changefeeds.statuses()) {
        if (isOwn && sinkError !== undefined) throw new Error(`${id}: ${sinkError}`);
      }
    },
    changefeeds() {
      if (!changefeeds.isLoaded) throw new Error('not loaded yet');
      for (const [id, { state, streaming, error, isOwn }] of changefeeds.statuses()) {
        if (!isOwn) continue;
        if (state === 'failed') throw new Error(`${id} has failed: ${error?.message ?? 'no reason known'}`);
        if (!streaming)
          throw new Error(`${id} is not streaming yet${error === null ? '' : `: ${error.message}`}`);
      }
    },
  };
}
