import { addressedTo, decodeReview, reviewsSink } from '@tidemark/connectors';
import { pipelines } from '@tidemark/contracts/names';
import type { HostedPipeline, PipelineHost } from '../host.ts';

/** Review events to rows, each exactly once. */
export function reviewsToPostgres(host: PipelineHost): HostedPipeline {
  const name = pipelines.reviewsToPostgres;
  return host.host({
    name,
    group: host.config.KAFKA_GROUP_ID,
    topic: host.config.KAFKA_TOPIC,
    sinkName: 'reviews',
    inDatabase: true,
    decode: addressedTo(name, decodeReview),
    sink: reviewsSink(name, host.pool),
  });
}
