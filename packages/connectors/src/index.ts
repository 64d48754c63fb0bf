export { auditedPipelines, auditPipeline } from './audit/audit.ts';
export { agrees, nothingSeen, type Recount } from './audit/recount.ts';
export type { AuditReport, Doubt, PartitionAudit } from './audit/report.ts';
export { auditSubjects } from './audit/subjects.ts';
export { addressedTo } from './codec/addressed.ts';
export { type ChangeEvent, decodeChange } from './codec/change-event.ts';
export { decodeReview, reviewDecoder } from './codec/review-event.ts';
export { type ChangeIndexOptions, changeIndexSink } from './elasticsearch/change-index-sink.ts';
export type { KafkaConnection } from './kafka/client-options.ts';
export {
  deadLetterId,
  decodeDeadLetter,
  kafkaDeadLetters,
  type StoredDeadLetter,
} from './kafka/dead-letters.ts';
export { createMessageSender, type MessageSender, type OutgoingMessage } from './kafka/kafka-producer.ts';
export { KafkaSource, type KafkaSourceOptions } from './kafka/kafka-source.ts';
export { LagReader, type PartitionLag } from './kafka/lag.ts';
export { LogReader } from './kafka/read-range.ts';
export { ensureTopics } from './kafka/topics.ts';
export { logSink } from './log/log-sink.ts';
export { changeStoreSink } from './postgres/change-store-sink.ts';
export { classify } from './postgres/classify.ts';
export {
  type Actor,
  DeadLetterDesk,
  type ReplayOptions,
  type ReplayResult,
  replayDefaults,
} from './postgres/dead-letter-desk.ts';
export type { DeadLetterAction, DeadLetterDetail, DeadLetterEntry } from './postgres/dead-letter-entry.ts';
export {
  type DeadLetterFilter,
  type DeadLetterPlace,
  type DeadLetterStatus,
  deadLetterStatuses,
} from './postgres/dead-letter-query.ts';
export { rebuildDeadLetters } from './postgres/dead-letter-rebuild.ts';
export { deadLetterSink } from './postgres/dead-letter-sink.ts';
export { postgresParking } from './postgres/parked-keys.ts';
export { ParkedLetters } from './postgres/parked-letters.ts';
export { releaseParked } from './postgres/release-parked.ts';
export { createPool, type Pool, type PoolOptions, probe } from './postgres/pool.ts';
export { positionedSink } from './postgres/positioned-sink.ts';
export { Positions } from './postgres/positions.ts';
export {
  processedEventsHorizonMs,
  type RetentionOptions,
  type RetentionResult,
  retainProcessedEvents,
} from './postgres/processed-events.ts';
export { reviewsSink } from './postgres/reviews-sink.ts';
export { transactionalSink } from './postgres/transactional-sink.ts';
export { signedHeaders } from './webhook/signature.ts';
export { type WebhookOptions, webhookProbe, webhookSink } from './webhook/webhook-sink.ts';
