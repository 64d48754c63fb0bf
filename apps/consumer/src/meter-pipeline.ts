import { describeError } from '@tidemark/kernel';
import type { Logger, Metrics } from '@tidemark/observability';
import { countBatch, type PipelineObserver, type RejectionReason } from '@tidemark/pipeline';

const results = ['success', 'duplicate', 'filtered', 'dlq', 'fail'] as const;
const reasons: readonly RejectionReason[] = [
  'undecodable',
  'invalid',
  'business_rule',
  'refused_by_sink',
  'retries_exhausted',
  'parked',
];

/** Reports a pipeline's life to metrics and log, and passes what a pipeline wants to know itself on to `own`. */
export function meterPipeline<E>(
  pipeline: string,
  metrics: Metrics,
  logger: Logger,
  own: PipelineObserver<E>,
): PipelineObserver<E> {
  const consumed = metrics.counter('events_consumed_total');
  const processed = metrics.counter('events_processed_total');
  const duration = metrics.histogram('processing_duration_seconds');
  const retries = metrics.counter('retries_total');
  const deadLetters = metrics.counter('dead_letters_total');
  const rebalances = metrics.counter('rebalances_total');
  // A counter that appears with its first event hides that event: an increase is the difference to a sample before.
  for (const result of results) processed.inc({ pipeline, result }, 0);
  for (const reason of reasons) deadLetters.inc({ pipeline, reason }, 0);
  for (const counter of [consumed, retries, rebalances]) counter.inc({ pipeline }, 0);
  return {
    assigned(partitions) {
      rebalances.inc({ pipeline });
      logger.info({ partitions: numbers(partitions) }, 'partitions assigned');
    },
    revoked: partitions => logger.info({ partitions: numbers(partitions) }, 'partitions given back'),
    taken: (_partition, records) => consumed.inc({ pipeline }, records),
    persisted(batch, receipt, durationMs) {
      const counts = countBatch(batch, receipt);
      duration.observe({ pipeline }, durationMs / 1000);
      processed.inc({ pipeline, result: 'success' }, counts.delivered);
      processed.inc({ pipeline, result: 'duplicate' }, counts.duplicate);
      processed.inc({ pipeline, result: 'filtered' }, counts.filtered);
      processed.inc({ pipeline, result: 'dlq' }, counts.deadLettered);
      own.persisted?.(batch, receipt, durationMs);
    },
    retried(error) {
      retries.inc({ pipeline });
      processed.inc({ pipeline, result: 'fail' });
      logger.warn({ kind: error.kind, error: describeError(error) }, 'delivery failed; trying again');
    },
    deadLettered(letters) {
      for (const { record, rejection } of letters) {
        deadLetters.inc({ pipeline, reason: rejection.reason });
        const place = { topic: record.topic, partition: record.partition, offset: String(record.offset) };
        logger.warn({ ...place, reason: rejection.reason, error: rejection.message }, 'event dead-lettered');
      }
    },
    breaker: state => logger.warn({ state }, `circuit breaker is ${state}`),
    troubled: (what, error) => logger.warn({ error: describeError(error) }, `${what} failed; trying again`),
    laneFailed: (partition, error) =>
      logger.error(
        { ...partition, error: describeError(error) },
        'partition is opened again after a failure',
      ),
  };
}

function numbers(partitions: readonly { readonly partition: number }[]): number[] {
  return partitions.map(({ partition }) => partition);
}
