import type { TlsOptions } from 'node:tls';
import { type Clock, systemClock } from '@tidemark/kernel';
import { type BrokerLog, silentLog } from './log.ts';
import { type BrokerMetrics, noMetrics } from './metrics.ts';
import type { SaslOptions } from './security/credentials.ts';
import type { FsyncPolicy } from './storage/partition-log.ts';
import { systemTimers, type Timers } from './timers.ts';

/** How a broker is started. Everything has a default that suits a laptop. */
export interface BrokerOptions {
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Port to listen on; 0, the default, takes a free one. */
  readonly port?: number;
  /** Folder for everything that must survive. Left out, the broker keeps it in memory and forgets it when it stops. */
  readonly dataDir?: string;
  /**
   * When a produce is acknowledged. `os`: after the write, survives the death of the process. `interval` (default):
   * the same, and a power loss costs at most `fsyncIntervalMs`. `group`: after a sync, survives a power loss.
   */
  readonly fsync?: FsyncPolicy;
  /** Default 200. */
  readonly fsyncIntervalMs?: number;
  /** Host that clients are told to connect to. Default: `host`, or 127.0.0.1 when that is a wildcard. */
  readonly advertisedHost?: string;
  /** Port that clients are told to connect to. Default: the one listened on. */
  readonly advertisedPort?: number;
  /** Default: chosen at the first start and kept in the data folder. */
  readonly clusterId?: string;
  /** Create a topic when a client asks for its metadata or writes to it. Default true. */
  readonly autoCreateTopics?: boolean;
  /** Partitions of a topic whose creator does not say. Default 1. */
  readonly defaultPartitions?: number;
  /** Broker-wide values for topic settings, such as `retention.ms`. */
  readonly topicDefaults?: Readonly<Record<string, string>>;
  /** Longest timeout a transactional producer may ask for. Default 15 minutes, as in Kafka. */
  readonly transactionTimeoutMsMax?: number;
  /** Pause between two rounds of retention, compaction and expiry. Default 15 seconds, as Kafka's cleaner. */
  readonly upkeepIntervalMs?: number;
  /** Speak TLS only: certificate and key, as node:tls takes them. */
  readonly tls?: Pick<
    TlsOptions,
    'cert' | 'key' | 'ca' | 'passphrase' | 'requestCert' | 'rejectUnauthorized'
  >;
  /** Let in only who proves to be one of these users. */
  readonly sasl?: SaslOptions;
  readonly limits?: Partial<BrokerLimits>;
  readonly groups?: Partial<GroupOptions>;
  readonly logger?: BrokerLog;
  readonly metrics?: BrokerMetrics;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/** Bounds that keep one peer, or all together, from exhausting the machine. */
export interface BrokerLimits {
  /** Default 1000. */
  readonly connectionsMax: number;
  /** Largest request. Default 100 MiB, as in Kafka. */
  readonly frameBytesMax: number;
  /** Requests of all connections that are being handled; more are not read meanwhile. Default 256 MiB. */
  readonly requestBytesMax: number;
  /** Requests of all connections that have begun to arrive; beyond it the largest is dropped. Default 128 MiB. */
  readonly incompleteBytesMax: number;
  /** Requests of one connection that are being handled at once. Default 64. */
  readonly pipelinedRequestsMax: number;
  /** Answers a peer may leave unread before nothing more is read from it. Default 16 MiB. */
  readonly unsentBytesMax: number;
  /** Unread answers of all connections; beyond it the peer that leaves most unread is dropped. Default 512 MiB. */
  readonly unsentBytesTotalMax: number;
  /** A connection without traffic is closed after this long. Default 10 minutes, as in Kafka. */
  readonly idleMs: number;
  /** A frame that has begun must be complete within this long. Default 60 seconds. */
  readonly frameMs: number;
  /** Partitions of all topics together. Default 10,000. */
  readonly partitionsMax: number;
  /** Memory for the newest batches. Default 16 MiB. */
  readonly cacheBytesMax: number;
  /** The journal begins a new file, with a dump of the state, when it has grown to this. Default 1 MiB. */
  readonly journalBytesMax: number;
  /** Largest fetch response. Default 50 MiB. */
  readonly fetchBytesMax: number;
}

/** Times of the group coordinator. */
export interface GroupOptions {
  /** How long the first rebalance of an empty group waits for more members. Default 100. */
  readonly initialRebalanceDelayMs: number;
  /** Default 6000, as in Kafka. */
  readonly sessionTimeoutMsMin: number;
  /** Default 30 minutes, as in Kafka. */
  readonly sessionTimeoutMsMax: number;
  /** Default 1000. */
  readonly sizeMax: number;
  /** Offsets of a group without members are forgotten after this long. Default 30 days. */
  readonly offsetsRetentionMs: number;
}

/** The options with every default filled in. */
export type BrokerSettings = Required<
  Omit<
    BrokerOptions,
    'dataDir' | 'advertisedHost' | 'advertisedPort' | 'clusterId' | 'limits' | 'groups' | 'tls' | 'sasl'
  >
> & {
  readonly dataDir: string | null;
  readonly advertisedHost: string;
  readonly advertisedPort: number | null;
  readonly clusterId: string | null;
  readonly tls: NonNullable<BrokerOptions['tls']> | null;
  readonly sasl: SaslOptions | null;
  readonly limits: BrokerLimits;
  readonly groups: GroupOptions;
};

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;

const defaultLimits: BrokerLimits = {
  connectionsMax: 1000,
  frameBytesMax: 100 * MIB,
  requestBytesMax: 256 * MIB,
  incompleteBytesMax: 128 * MIB,
  pipelinedRequestsMax: 64,
  unsentBytesMax: 16 * MIB,
  unsentBytesTotalMax: 512 * MIB,
  idleMs: 10 * MINUTE_MS,
  frameMs: MINUTE_MS,
  partitionsMax: 10_000,
  cacheBytesMax: 16 * MIB,
  journalBytesMax: MIB,
  fetchBytesMax: 50 * MIB,
};

const defaultGroups: GroupOptions = {
  initialRebalanceDelayMs: 100,
  sessionTimeoutMsMin: 6000,
  sessionTimeoutMsMax: 30 * MINUTE_MS,
  sizeMax: 1000,
  offsetsRetentionMs: 30 * 24 * 60 * MINUTE_MS,
};

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '']);

export function resolveOptions(options: BrokerOptions): BrokerSettings {
  const host = options.host ?? '127.0.0.1';
  return {
    host,
    port: options.port ?? 0,
    dataDir: options.dataDir ?? null,
    fsync: options.fsync ?? 'interval',
    fsyncIntervalMs: options.fsyncIntervalMs ?? 200,
    advertisedHost: options.advertisedHost ?? (WILDCARDS.has(host) ? '127.0.0.1' : host),
    advertisedPort: options.advertisedPort ?? null,
    clusterId: options.clusterId ?? null,
    autoCreateTopics: options.autoCreateTopics ?? true,
    defaultPartitions: options.defaultPartitions ?? 1,
    topicDefaults: options.topicDefaults ?? {},
    transactionTimeoutMsMax: options.transactionTimeoutMsMax ?? 15 * MINUTE_MS,
    upkeepIntervalMs: options.upkeepIntervalMs ?? 15_000,
    tls: options.tls ?? null,
    sasl: options.sasl ?? null,
    limits: { ...defaultLimits, ...options.limits },
    groups: { ...defaultGroups, ...options.groups },
    logger: options.logger ?? silentLog,
    metrics: options.metrics ?? noMetrics,
    clock: options.clock ?? systemClock,
    timers: options.timers ?? systemTimers,
  };
}
