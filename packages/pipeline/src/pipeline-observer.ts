import type { BreakerState } from './breaker.ts';
import type { DeadLetter } from './dead-letter.ts';
import type { DeliveryObserver } from './instrument.ts';
import type { TopicPartition } from './record.ts';

/** Everything that a pipeline reports about itself, for logs and metrics. Every method is optional. */
export interface PipelineObserver<E> extends DeliveryObserver<E> {
  assigned?(partitions: readonly TopicPartition[]): void;
  revoked?(partitions: readonly TopicPartition[]): void;
  /** Records left the queue of their partition. */
  taken?(partition: TopicPartition, records: number): void;
  /** Dead letters were stored. */
  deadLettered?(letters: readonly DeadLetter[]): void;
  breaker?(state: BreakerState): void;
  /** A dead letter or a commit could not be stored and is tried again. */
  troubled?(what: 'dead letter' | 'commit' | 'open', error: unknown): void;
  /** A partition waits because too many of its keys are parked, or goes on. */
  parkingFull?(partition: TopicPartition, full: boolean): void;
  /** A partition was taken from us while we worked, or its delivery met a defect; it is opened again. */
  laneFailed?(partition: TopicPartition, error: unknown): void;
}
