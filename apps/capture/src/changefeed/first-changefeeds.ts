import { changefeedId, topicPartitions, topics } from '@tidemark/contracts/names';
import type { ChangefeedRequest } from './changefeed-request.ts';
import { completeConfig } from './replica-config.ts';
import { checkSourceUri } from './source-uri.ts';

/** The changefeed that a stack starts with. */
export function defaultChangefeed(config: {
  readonly DATABASE_URL: string;
  readonly KAFKA_BROKERS: readonly string[];
}): ChangefeedRequest {
  const database = decodeURIComponent(new URL(config.DATABASE_URL).pathname.slice(1));
  return {
    id: changefeedId,
    sinkUri: changesUri(config.KAFKA_BROKERS),
    config: completeConfig({
      filter: { rules: [`\`${database}\`.users`, `\`${database}\`.reviews`] },
      sink,
    }),
  };
}

/**
 * The changefeed over a database of the user's own: everything in it that can be captured. Its id says which database
 * it is, so that another one gets a changefeed of its own.
 * @throws TidemarkError `SOURCE_URI_INVALID`
 */
export function sourceChangefeed(sourceUri: string, brokers: readonly string[]): ChangefeedRequest {
  checkSourceUri(sourceUri);
  const { hostname, port, pathname } = new URL(sourceUri);
  const words = ['source', decodeURIComponent(pathname), hostname, port || '5432'];
  const id = words
    .join('-')
    .replaceAll(/[^a-zA-Z0-9]+/g, '-')
    .slice(0, 128)
    .replace(/-$/, '');
  const config = completeConfig({ filter: { rules: ['*.*'] }, ignore_ineligible_table: true, sink });
  return { id, sourceUri, sinkUri: changesUri(brokers), config };
}

/** A row keeps its partition, so its changes keep their order. */
const sink = { dispatchers: [{ matcher: ['*.*'], partition: 'index-value' as const }] };

function changesUri(brokers: readonly string[]): string {
  const parameters = new URLSearchParams({
    protocol: 'canal-json',
    'enable-tidb-extension': 'true',
    'partition-num': String(topicPartitions[topics.changes]),
  });
  return `kafka://${brokers.join(',')}/${topics.changes}?${parameters.toString()}`;
}
