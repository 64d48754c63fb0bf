export { type Batch, countFates, deliverableItems, type OffsetSpan, splitBatch } from './batch.ts';
export { BatchLimit } from './batch-limit.ts';
export { bisecting } from './bisect.ts';
export { defaultBounds, type PipelineBounds } from './bounds.ts';
export { Breaker, type BreakerOptions, type BreakerState } from './breaker.ts';
export { Committer } from './committer.ts';
export { composeSink, defaultSinkPolicy, type SinkPolicy } from './compose-sink.ts';
export { type DeadLetter, type DeadLetterPort, deadLettering, persistently } from './dead-letter.ts';
export { AttemptsError, asDeliveryError, DeliveryError, type FailureKind } from './delivery-error.ts';
export { Gate, untilAborted } from './gate.ts';
export { type DeliveryObserver, instrumented } from './instrument.ts';
export {
  type Decision,
  type Decoder,
  type DeliverableItem,
  decodeRecord,
  type Item,
  isDeliverable,
  type Rejection,
  type RejectionReason,
} from './item.ts';
export { KeyedLane } from './keyed-lane.ts';
export type { Lane, LaneWork } from './lane.ts';
export type { OrderUnit } from './lanes.ts';
export { addCounts, countBatch, Ledger, type LedgerCounts } from './ledger.ts';
export { OffsetTracker } from './offset-tracker.ts';
export {
  applyStep,
  isReleased,
  type ParkedKey,
  type ParkingRules,
  type ParkingStep,
  type ReplayMark,
} from './parked-key.ts';
export { type ParkedKeyStore, type ParkingConfig, parkedKeysMaxDefault } from './parking.ts';
export { PartitionLane } from './partition-lane.ts';
export { Pipeline, type PipelineConfig, type PipelineState, type PipelineStatus } from './pipeline.ts';
export type { PipelineObserver } from './pipeline-observer.ts';
export { RateLimit } from './rate-limit.ts';
export {
  headerText,
  partitionKey,
  type RecordHeader,
  recordBytes,
  type SourceRecord,
  type TopicPartition,
} from './record.ts';
export { type RetryPolicy, retrying } from './retry.ts';
export { everythingNew, type Receipt, type Sink, wrapDeliver } from './sink.ts';
export { Slots } from './slots.ts';
export type { AssignmentListener, Position, RecordBatch, Source } from './source.ts';
export { type Stages, staged, type Transform } from './stages.ts';
