import type { Writable } from 'node:stream';
import { pipelines } from '@tidemark/contracts/names';
import { TidemarkError } from '@tidemark/kernel';
import type { HostedPipeline, PipelineHost } from './host.ts';
import { changesToLog } from './pipelines/changes-to-log.ts';
import { changesToStore } from './pipelines/changes-to-store.ts';
import { deadLettersToPostgres } from './pipelines/dead-letters-to-postgres.ts';
import { reviewsToPostgres } from './pipelines/reviews-to-postgres.ts';

/** The pipelines that the configuration names. */
export function selectPipelines(host: PipelineHost, output: Writable): HostedPipeline[] {
  const wanted = host.config.PIPELINES;
  // A change is counted where it takes effect in the store; the log counts only where there is no store.
  const logCounts = !wanted.includes(pipelines.changesToStore);
  const available: Readonly<Record<string, () => HostedPipeline>> = {
    [pipelines.changesToLog]: () => changesToLog(host, output, logCounts),
    [pipelines.changesToStore]: () => changesToStore(host),
    [pipelines.reviewsToPostgres]: () => reviewsToPostgres(host),
    [pipelines.deadLettersToPostgres]: () => deadLettersToPostgres(host),
  };
  return wanted.map(name => {
    const make = available[name];
    if (make) return make();
    throw new TidemarkError(
      'CONFIG_INVALID',
      `PIPELINES names ${JSON.stringify(name)}, which does not exist`,
      {
        hint: `Choose from ${Object.keys(available).join(', ')}.`,
      },
    );
  });
}
