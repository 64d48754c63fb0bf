import type { Writable } from 'node:stream';
import { furtherPipelines, pipelines } from '@tidemark/contracts/names';
import { TidemarkError } from '@tidemark/kernel';
import type { HostedPipeline, PipelineHost } from './host.ts';
import { changesToIndex } from './pipelines/changes-to-index.ts';
import { changesToLog } from './pipelines/changes-to-log.ts';
import { changesToStore } from './pipelines/changes-to-store.ts';
import { changesToWebhook } from './pipelines/changes-to-webhook.ts';
import { deadLettersToPostgres } from './pipelines/dead-letters-to-postgres.ts';
import { reviewsToPostgres } from './pipelines/reviews-to-postgres.ts';

/** The pipelines that the configuration names, and those whose destination it names. */
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
  const further = [changesToIndex(host), changesToWebhook(host)].flatMap(made => made ?? []);
  const named = wanted.map(name => {
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
  checkParkKeys(host, [...Object.keys(available), ...Object.values(furtherPipelines)]);
  return [...named, ...further];
}

function checkParkKeys({ config }: PipelineHost, known: readonly string[]): void {
  const unknown = config.PARK_KEYS.find(name => !known.includes(name));
  if (unknown === undefined) return;
  throw new TidemarkError(
    'CONFIG_INVALID',
    `PARK_KEYS names ${JSON.stringify(unknown)}, which does not exist`,
    {
      hint: `Choose from ${known.join(', ')}.`,
    },
  );
}
