import { join } from 'node:path';
import { type BrokerParts, composeParts, coreOf } from './broker-composition.ts';
import type { FaultInjector } from './faults/fault-injector.ts';
import { Dispatcher } from './network/dispatcher.ts';
import { Listener } from './network/listener.ts';
import { type BrokerOptions, resolveOptions } from './options.ts';
import { type BrokerSnapshot, takeSnapshot } from './snapshot.ts';
import { type FolderLock, lockFolder, unwritable } from './storage/data-folder.ts';
import { isStorageFailure } from './storage/storage-failure.ts';
import { UpkeepSchedule } from './upkeep-schedule.ts';

/** A broker that accepts clients. */
export interface RunningBroker {
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  /** `host:port` that clients are told, for `bootstrap.servers`. */
  readonly address: string;
  readonly clusterId: string;
  /** Misbehaviour on purpose, for tests and drills. */
  readonly faults: FaultInjector;
  /** What it holds now: log ends and sizes, groups, connections. For gauges that are read at a scrape. */
  snapshot(): BrokerSnapshot;
  /** Applies retention, compaction and expiry now instead of at the next round. */
  runUpkeep(): Promise<void>;
  /** Answers what is under way, writes everything down, and lets go of the data folder. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts an embedded, single-node broker that speaks the Kafka protocol.
 * Rejects with a TidemarkError when the port is taken (BROKER_PORT_TAKEN), or the data folder is in use by another
 * broker (BROKER_DATA_IN_USE) or not writable (BROKER_DATA_UNWRITABLE).
 */
export async function startBroker(options: BrokerOptions = {}): Promise<RunningBroker> {
  const settings = resolveOptions(options);
  const lock = settings.dataDir === null ? null : await lockFolder(settings.dataDir);
  const parts = composeParts(settings);
  const listener = new Listener(settings, parts.memory);
  try {
    await recover(parts);
    const port = await listener.listen();
    const core = coreOf(parts, { port });
    await parts.transactions.recover();
    listener.serve(new Dispatcher(core, parts.faults, parts.memory));
    const { host } = settings;
    const address = `${core.node.host}:${core.node.port}`;
    settings.logger.info(
      { address, dataDir: settings.dataDir, topics: parts.topics.all().length },
      'broker is ready',
    );
    const upkeep = new UpkeepSchedule(parts);
    upkeep.start();
    let stopping: Promise<void> | undefined;
    const stop = () => (stopping ??= stopBroker(parts, { listener, upkeep, lock }));
    return {
      host,
      port,
      address,
      clusterId: core.clusterId,
      faults: parts.faults,
      snapshot: () => takeSnapshot(parts, listener),
      runUpkeep: () => upkeep.run(),
      stop,
    };
  } catch (error) {
    await parts.files.closeAll();
    await lock?.release();
    throw settings.dataDir !== null && isStorageFailure(error) ? unwritable(settings.dataDir, error) : error;
  }
}

/** Brings memory to where the disk is. */
async function recover({
  settings,
  disk,
  journal,
  cluster,
  topics,
  registry,
  producerIds,
  transactions,
}: BrokerParts) {
  const cleanStop = await takeCleanMarker(settings.dataDir, disk);
  const owners = [cluster, topics, registry, producerIds, transactions];
  await journal.load(entry => {
    if (!owners.some(owner => owner.replay(entry)))
      settings.logger.warn({ kind: entry.kind }, 'unknown journal entry');
  });
  registry.replayed();
  await journal.start();
  await topics.recover(cleanStop, (path, facts) =>
    settings.logger.warn({ path, ...facts }, 'recovery cut off a torn tail: it was never acknowledged'),
  );
  await registry.forgetTopicsExcept(name => topics.get(name) !== undefined);
}

/** True when the last broker stopped properly. The mark is taken away, so that it is only believed once. */
async function takeCleanMarker(dataDir: string | null, disk: BrokerParts['disk']): Promise<boolean> {
  if (dataDir === null) return false;
  const path = join(dataDir, 'clean-shutdown');
  const isClean = (await disk.readWhole(path)) !== null;
  if (isClean) {
    await disk.remove(path);
    await disk.syncFolder(dataDir);
  }
  return isClean;
}

async function markClean(dataDir: string, disk: BrokerParts['disk']): Promise<void> {
  const marker = await disk.open(join(dataDir, 'clean-shutdown'));
  await marker.sync();
  await marker.close();
}

interface Running {
  readonly listener: Listener;
  readonly upkeep: UpkeepSchedule;
  readonly lock: FolderLock | null;
}

async function stopBroker(parts: BrokerParts, { listener, upkeep, lock }: Running): Promise<void> {
  const { settings, disk, journal, topics, registry, transactions, syncs, files, faults } = parts;
  faults.clear();
  transactions.close();
  await listener.stop(() => registry.close());
  await upkeep.stop();
  let isClean = true;
  const attempt = async (work: () => Promise<void>) => {
    await work().catch((error: unknown) => {
      isClean = false;
      settings.logger.warn({ error }, 'this stop is not a clean one: the next start will check the logs');
    });
  };
  await attempt(() => topics.close());
  await attempt(() => syncs.close());
  await attempt(() => journal.close());
  await files.closeAll();
  const { dataDir } = settings;
  if (dataDir !== null && isClean) await attempt(() => markClean(dataDir, disk));
  await lock?.release();
  settings.logger.info({}, 'broker stopped');
}
