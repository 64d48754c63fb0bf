export { type Fault, FaultInjector, type FaultTarget } from './faults/fault-injector.ts';
export { type BrokerLog, silentLog } from './log.ts';
export { type BrokerMetrics, noMetrics } from './metrics.ts';
export type { BrokerLimits, BrokerOptions, GroupOptions } from './options.ts';
export type { SaslMechanism, SaslOptions } from './security/credentials.ts';
export type { BrokerSnapshot, GroupSize, PartitionSnapshot } from './snapshot.ts';
export { type RunningBroker, startBroker } from './start-broker.ts';
export type { FsyncPolicy } from './storage/partition-log.ts';
export { systemTimers, type Timers } from './timers.ts';
