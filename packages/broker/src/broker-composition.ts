import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { servedApis } from './api/index.ts';
import type { BrokerCore, Node, ServedApi } from './broker-core.ts';
import { FailureReporter } from './failure-reporter.ts';
import { FaultInjector } from './faults/fault-injector.ts';
import { refusingDisk } from './faults/refusing-disk.ts';
import { GroupCoordinator } from './groups/group-coordinator.ts';
import { GroupRegistry } from './groups/group-registry.ts';
import type { BrokerSettings } from './options.ts';
import type { Disk } from './storage/disk.ts';
import { FilePool } from './storage/file-pool.ts';
import { Journal } from './storage/journal.ts';
import { LentMemory } from './storage/lent-memory.ts';
import { memoryDisk } from './storage/memory-disk.ts';
import { nodeDisk } from './storage/node-disk.ts';
import type { LogEnvironment } from './storage/partition-log.ts';
import { SyncSchedule } from './storage/sync-schedule.ts';
import { TailCacheBudget } from './storage/tail-cache.ts';
import { TopicRegistry } from './topics/topic-registry.ts';
import { ProducerIds } from './transactions/producer-ids.ts';
import { TransactionCoordinator } from './transactions/transaction-coordinator.ts';

const NODE_ID = 1;
const FILES_OPEN_MAX = 256;
/** Memory kept for batches on their way in and out, when nothing is on its way. */
const LENT_BYTES_KEPT = 8 * 1024 * 1024;

/** All parts of a broker, wired but not yet started. */
export interface BrokerParts extends Omit<BrokerCore, 'clusterId' | 'node'> {
  readonly disk: Disk;
  readonly files: FilePool;
  readonly memory: LentMemory;
  readonly journal: Journal;
  readonly faults: FaultInjector;
  readonly registry: GroupRegistry;
  readonly syncs: SyncSchedule;
  readonly logs: LogEnvironment;
  readonly apis: readonly ServedApi[];
  readonly cluster: ClusterIdentity;
}

/** The only file that knows all parts of the broker. */
export function composeParts(settings: BrokerSettings): BrokerParts {
  const { timers, clock, logger } = settings;
  const folder = settings.dataDir ?? '/memory';
  const warn = (message: string, facts: Record<string, unknown>) => logger.warn(facts, message);
  const faults = new FaultInjector(timers);
  const { disk, files, memory, syncs, logs } = composeStorage(settings, faults, warn);
  const cluster = new ClusterIdentity(settings.clusterId);
  const journal: Journal = new Journal(disk, join(folder, 'journal'), {
    sync: settings.fsync !== 'os',
    bytesMax: settings.limits.journalBytesMax,
    dump: () => [
      ...cluster.dump(),
      ...topics.dump(),
      ...registry.dump(),
      ...producerIds.dump(),
      ...transactions.dump(),
    ],
    warn,
  });
  const topics = new TopicRegistry({
    logs,
    journal,
    folder: join(folder, 'topics'),
    configDefaults: settings.topicDefaults,
    partitionsMax: settings.limits.partitionsMax,
  });
  const registry = new GroupRegistry({
    journal,
    timers,
    monotonicMs: () => clock.monotonic(),
    initialDelayMs: settings.groups.initialRebalanceDelayMs,
    nowMs: () => clock.now(),
    warn,
  });
  const groups = new GroupCoordinator(registry, {
    sessionMsMin: settings.groups.sessionTimeoutMsMin,
    sessionMsMax: settings.groups.sessionTimeoutMsMax,
    groupSizeMax: settings.groups.sizeMax,
  });
  const producerIds = new ProducerIds(journal);
  const transactions = new TransactionCoordinator({
    journal,
    topics,
    groups: registry,
    producerIds,
    timers,
    nowMs: () => clock.now(),
    timeoutMsMax: settings.transactionTimeoutMsMax,
    warn,
  });
  const failures = new FailureReporter(logger, () => clock.monotonic());
  return {
    settings,
    apis: servedApis,
    disk,
    files,
    memory,
    journal,
    faults,
    registry,
    syncs,
    logs,
    cluster,
    topics,
    groups,
    producerIds,
    transactions,
    codeOf: error => failures.codeOf(error),
  };
}

function composeStorage(settings: BrokerSettings, faults: FaultInjector, warn: LogEnvironment['warn']) {
  const ownDisk = settings.dataDir === null ? memoryDisk() : nodeDisk;
  const disk = refusingDisk(ownDisk, () => faults.refusesWrites);
  // A log in memory keeps the very batches that arrived, so that their memory is never free again.
  const memory = new LentMemory(settings.dataDir === null ? 0 : LENT_BYTES_KEPT);
  const files = new FilePool(disk, FILES_OPEN_MAX, memory);
  const syncs = new SyncSchedule(settings.timers, settings.fsyncIntervalMs, warn);
  // In memory the log itself is as near as a cache would be.
  const cache = new TailCacheBudget(settings.dataDir === null ? 0 : settings.limits.cacheBytesMax, memory);
  const logs: LogEnvironment = {
    files,
    cache,
    fsync: settings.fsync,
    markDirty: log => syncs.mark(log),
    warn,
  };
  return { disk, files, memory, syncs, logs };
}

/** Completes the core once the cluster id is known and the port is bound. */
export function coreOf(parts: BrokerParts, listening: { readonly port: number }): BrokerCore {
  const { advertisedHost, advertisedPort } = parts.settings;
  const node: Node = { id: NODE_ID, host: advertisedHost, port: advertisedPort ?? listening.port };
  return { ...parts, clusterId: parts.cluster.id, node };
}

/** The name of this "cluster": given, remembered, or made up at the first start. */
export class ClusterIdentity {
  #id: string;
  readonly #isGiven: boolean;

  constructor(given: string | null) {
    this.#id = given ?? randomBytes(16).toString('base64url');
    this.#isGiven = given !== null;
  }

  get id(): string {
    return this.#id;
  }

  replay(entry: { readonly kind: string; readonly [field: string]: unknown }): boolean {
    if (entry.kind !== 'cluster') return false;
    if (!this.#isGiven) this.#id = entry['id'] as string;
    return true;
  }

  dump(): { readonly kind: string; readonly id: string }[] {
    return [{ kind: 'cluster', id: this.#id }];
  }
}
