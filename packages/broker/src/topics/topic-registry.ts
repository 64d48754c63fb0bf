import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Journal, JournalEntry } from '../storage/journal.ts';
import { emptyLog, recoverLog } from '../storage/log-recovery.ts';
import type { LogEnvironment } from '../storage/partition-log.ts';
import { ProtocolError } from '../wire/error-codes.ts';
import { Partition } from './partition.ts';
import { checkTopicConfig, type TopicSettings, topicSettings } from './topic-config.ts';

const NAME_MAX = 249;
/** How many partitions are opened at once at the start. */
const RECOVERIES_AT_ONCE = 16;

/** A topic with its partitions. */
export interface Topic {
  readonly name: string;
  /** 22 characters of base64url. */
  readonly id: string;
  readonly overrides: ReadonlyMap<string, string>;
  readonly settings: TopicSettings;
  readonly partitions: readonly Partition[];
}

interface TopicEntry extends JournalEntry {
  readonly kind: 'topic';
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
  readonly overrides: readonly (readonly [string, string])[];
}

export interface TopicEnvironment {
  readonly logs: LogEnvironment;
  readonly journal: Pick<Journal, 'append'>;
  readonly folder: string;
  /** Broker-wide values for topic settings. */
  readonly configDefaults: Readonly<Record<string, string>>;
  readonly partitionsMax: number;
}

/** All topics: who they are is in the journal, what they hold is in their folders. */
export class TopicRegistry {
  readonly #env: TopicEnvironment;
  readonly #byName = new Map<string, Topic>();
  readonly #byId = new Map<string, Topic>();
  readonly #replayed = new Map<string, TopicEntry>();

  constructor(env: TopicEnvironment) {
    this.#env = env;
  }

  get(name: string): Topic | undefined {
    return this.#byName.get(name);
  }

  getById(id: string): Topic | undefined {
    return this.#byId.get(id);
  }

  all(): readonly Topic[] {
    return [...this.#byName.values()];
  }

  get partitionCount(): number {
    return this.all().reduce((sum, topic) => sum + topic.partitions.length, 0);
  }

  /** The partition, or UNKNOWN_TOPIC_OR_PARTITION. */
  partition(name: string, index: number): { readonly topic: Topic; readonly partition: Partition } {
    const topic = this.#byName.get(name);
    const partition = topic?.partitions[index];
    if (!topic || !partition) throw new ProtocolError('unknownTopicOrPartition');
    return { topic, partition };
  }

  /** Throws what Kafka would answer when the topic could not be created. */
  check(name: string, partitions: number, overrides: ReadonlyMap<string, string | null>): void {
    checkTopicName(name);
    if (this.#byName.has(name))
      throw new ProtocolError('topicAlreadyExists', `Topic '${name}' already exists.`);
    if (partitions < 1)
      throw new ProtocolError('invalidPartitions', 'Number of partitions must be larger than 0.');
    this.#checkPartitionBudget(partitions);
    for (const [key, value] of overrides) checkTopicConfig(key, value);
  }

  /** Creates the topic; it is usable at once, and remembered when this resolves. */
  async create(name: string, partitions: number, overrides: ReadonlyMap<string, string>): Promise<Topic> {
    this.check(name, partitions, overrides);
    const id = randomBytes(16).toString('base64url');
    const topic: Topic = {
      name,
      id,
      overrides,
      settings: topicSettings(overrides, this.#env.configDefaults),
      partitions: Array.from({ length: partitions }, (_, index) => this.#emptyPartition(name, id, index)),
    };
    this.#put(topic);
    await this.#save(topic).catch((error: unknown) => {
      this.#take(topic);
      throw error;
    });
    return topic;
  }

  /**
   * Removes the topic. `forget` is called once its name is free and before anybody can take it again: what others keep
   * under that name must not become a new topic's.
   */
  async delete(topic: Topic, forget: () => Promise<void>): Promise<void> {
    await this.#env.journal.append([{ kind: 'topic-deleted', id: topic.id }]);
    this.#take(topic);
    await Promise.all([forget(), this.#removeFiles(topic)]);
  }

  /** Grows the topic to `count` partitions; they can only become more. */
  async grow(topic: Topic, count: number): Promise<void> {
    this.#checkPartitionBudget(count - topic.partitions.length);
    const added = Array.from({ length: count - topic.partitions.length }, (_, index) =>
      this.#emptyPartition(topic.name, topic.id, topic.partitions.length + index),
    );
    const grown = { ...topic, partitions: [...topic.partitions, ...added] };
    await this.#save(grown);
    this.#put(grown);
  }

  async configure(topic: Topic, overrides: ReadonlyMap<string, string>): Promise<void> {
    const configured = { ...topic, overrides, settings: topicSettings(overrides, this.#env.configDefaults) };
    await this.#save(configured);
    this.#put(configured);
  }

  /** Takes one entry of the journal at the start. False when it is not about topics. */
  replay(entry: JournalEntry): boolean {
    if (entry.kind === 'topic') this.#replayed.set((entry as TopicEntry).id, entry as TopicEntry);
    else if (entry.kind === 'topic-deleted') this.#replayed.delete(entry['id'] as string);
    else return false;
    return true;
  }

  /** What a new journal file starts with. */
  dump(): JournalEntry[] {
    return [...this.#replayed.values(), ...this.all().map(entryOf)];
  }

  /** Opens the logs of all topics the journal knows, and removes folders of those it does not. */
  async recover(
    cleanStop: boolean,
    report: (path: string, facts: Record<string, unknown>) => void,
  ): Promise<void> {
    const entries = [...this.#replayed.values()];
    this.#replayed.clear();
    await this.#removeOrphans(entries);
    for (const entry of entries) await this.#recoverTopic(entry, cleanStop, report);
  }

  /** Closes every partition, also when some of them cannot write down what they should. */
  async close(): Promise<void> {
    const closing = this.all().flatMap(topic => topic.partitions.map(partition => partition.close()));
    const outcomes = await Promise.allSettled(closing);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async #removeFiles(topic: Topic): Promise<void> {
    await Promise.all(topic.partitions.map(partition => partition.markDeleted()));
    await this.#env.logs.files.disk.remove(this.#folderOf(topic.name, topic.id));
  }

  #put(topic: Topic): void {
    this.#byName.set(topic.name, topic);
    this.#byId.set(topic.id, topic);
  }

  #take(topic: Topic): void {
    this.#byName.delete(topic.name);
    this.#byId.delete(topic.id);
  }

  #save(topic: Topic): Promise<void> {
    return this.#env.journal.append([entryOf(topic)]);
  }

  #checkPartitionBudget(more: number): void {
    if (this.partitionCount + more > this.#env.partitionsMax) {
      throw new ProtocolError(
        'policyViolation',
        `this broker holds at most ${this.#env.partitionsMax} partitions`,
      );
    }
  }

  #emptyPartition(name: string, id: string, index: number): Partition {
    const { logs } = this.#env;
    return new Partition(logs, index, emptyLog(logs, join(this.#folderOf(name, id), String(index))));
  }

  async #recoverTopic(
    entry: TopicEntry,
    cleanStop: boolean,
    report: (path: string, facts: Record<string, unknown>) => void,
  ): Promise<void> {
    const { logs, configDefaults } = this.#env;
    const overrides = new Map(entry.overrides);
    const partitions: Partition[] = [];
    for (let first = 0; first < entry.partitions; first += RECOVERIES_AT_ONCE) {
      const indexes = Array.from(
        { length: Math.min(RECOVERIES_AT_ONCE, entry.partitions - first) },
        (_, i) => first + i,
      );
      const recovered = await Promise.all(
        indexes.map(index =>
          recoverLog(logs, join(this.#folderOf(entry.name, entry.id), String(index)), cleanStop),
        ),
      );
      for (const [at, log] of recovered.entries()) {
        for (const { path, offset, bytes } of log.truncations) report(path, { offset, bytes });
        partitions.push(new Partition(logs, first + at, log));
      }
    }
    this.#put({
      name: entry.name,
      id: entry.id,
      overrides,
      settings: topicSettings(overrides, configDefaults),
      partitions,
    });
  }

  async #removeOrphans(entries: readonly TopicEntry[]): Promise<void> {
    const known = new Set(entries.map(entry => folderName(entry.name, entry.id)));
    const { disk } = this.#env.logs.files;
    for (const name of await disk.list(this.#env.folder)) {
      if (!known.has(name)) await disk.remove(join(this.#env.folder, name));
    }
  }

  #folderOf(name: string, id: string): string {
    return join(this.#env.folder, folderName(name, id));
  }
}

/**
 * A folder is named for people by the topic and made unique by the id: a topic may be deleted and created again, and
 * some file systems do not tell "A" from "a".
 */
function folderName(name: string, id: string): string {
  return `${name.slice(0, 200)}~${Buffer.from(id, 'base64url').toString('hex')}`;
}

function entryOf(topic: Topic): TopicEntry {
  return {
    kind: 'topic',
    name: topic.name,
    id: topic.id,
    partitions: topic.partitions.length,
    overrides: [...topic.overrides],
  };
}

/** Kafka's rule for topic names (org.apache.kafka.common.internals.Topic). */
export function checkTopicName(name: string): void {
  const isLegal = /^[a-zA-Z0-9._-]+$/.test(name) && name.length <= NAME_MAX && name !== '.' && name !== '..';
  if (!isLegal) throw new ProtocolError('invalidTopic', `Topic name '${name.slice(0, NAME_MAX)}' is illegal`);
}
