import type { GroupCoordinator } from './groups/group-coordinator.ts';
import type { BrokerSettings } from './options.ts';
import type { TopicRegistry } from './topics/topic-registry.ts';
import type { ProducerIds } from './transactions/producer-ids.ts';
import type { TransactionCoordinator } from './transactions/transaction-coordinator.ts';

/** The only node there is; clients see it as leader, coordinator and controller. */
export interface Node {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

/** A row of the version table that ApiVersions answers. */
export interface ServedApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** What the API handlers work on. */
export interface BrokerCore {
  readonly settings: BrokerSettings;
  readonly clusterId: string;
  readonly node: Node;
  readonly apis: readonly ServedApi[];
  readonly topics: TopicRegistry;
  readonly groups: GroupCoordinator;
  readonly producerIds: ProducerIds;
  readonly transactions: TransactionCoordinator;
  /**
   * The error code to answer for anything that was thrown. What is no ProtocolError is a failure of the disk or of
   * ours: it is told to the operator, a full disk once and not per request.
   */
  codeOf(error: unknown): number;
}
