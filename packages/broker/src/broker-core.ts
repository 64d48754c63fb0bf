import type { GroupCoordinator } from './groups/group-coordinator.ts';
import type { BrokerSettings } from './options.ts';
import type { TopicRegistry } from './topics/topic-registry.ts';
import type { ProducerIds } from './transactions/producer-ids.ts';

/** The only node there is; clients see it as leader, coordinator and controller. */
export interface Node {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

/** What the API handlers work on. */
export interface BrokerCore {
  readonly settings: BrokerSettings;
  readonly clusterId: string;
  readonly node: Node;
  readonly topics: TopicRegistry;
  readonly groups: GroupCoordinator;
  readonly producerIds: ProducerIds;
}
