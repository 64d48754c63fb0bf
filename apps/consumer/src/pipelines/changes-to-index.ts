import { addressedTo, changeIndexSink, decodeChange, positionedSink } from '@tidemark/connectors';
import { furtherPipelines } from '@tidemark/contracts/names';
import type { HostedPipeline, PipelineHost } from '../host.ts';

/** Every change into Elasticsearch or OpenSearch, when ELASTICSEARCH_URL says where that is. */
export function changesToIndex(host: PipelineHost): HostedPipeline | undefined {
  const { ELASTICSEARCH_URL: url, ELASTICSEARCH_INDEX: index, CDC_GROUP_ID, CDC_TOPIC } = host.config;
  if (url === undefined) return undefined;
  const name = furtherPipelines.changesToIndex;
  return host.host({
    name,
    group: `${CDC_GROUP_ID}-index`,
    topic: CDC_TOPIC,
    sinkName: 'search index',
    inDatabase: true,
    decode: addressedTo(name, decodeChange),
    sink: positionedSink(name, host.pool, changeIndexSink({ url, index })),
  });
}
