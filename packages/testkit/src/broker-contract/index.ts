import { describe } from 'node:test';
import { adminContract } from './admin.ts';
import { groupStormContract } from './group-storm.ts';
import { groupsContract } from './groups.ts';
import { recordsContract } from './records.ts';
import type { BrokerTarget } from './target.ts';
import { transactionsContract } from './transactions.ts';

export type { BrokerTarget } from './target.ts';

/** How hard the suite tries. */
export interface ContractScale {
  /** Consumers in the group that comes and goes. */
  readonly members?: number;
  readonly seed?: number;
}

/** Each test has topics and groups of its own, and most of its time is waiting. */
const CONCURRENTLY = { concurrency: 8 };

/**
 * What clients may rely on in anything that calls itself a Kafka broker. The suites talk only the protocol, through
 * clients that know nothing of Tidemark, so the same assertions hold for Apache Kafka.
 */
export function brokerContract(target: BrokerTarget, scale: ContractScale = {}): void {
  describe('records', CONCURRENTLY, () => recordsContract(target));
  describe('groups', CONCURRENTLY, () => groupsContract(target));
  describe('transactions', CONCURRENTLY, () => transactionsContract(target));
  describe('administration', CONCURRENTLY, () => adminContract(target));
  describe('a group in a storm', () => groupStormContract(target, scale.members ?? 8, scale.seed ?? 1));
}
