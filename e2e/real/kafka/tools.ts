import type { ChildProcess } from 'node:child_process';
import type { RunOptions, RunResult } from '../../src/programs.ts';
import { type KafkaDistribution, type KafkaLine, runJava, startJava } from './java.ts';

/** Main classes behind Kafka's shell scripts, by the script's name. */
const mainClasses = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  configs: 'kafka.admin.ConfigCommand',
  'consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  cluster: 'org.apache.kafka.tools.ClusterTool',
  transactions: 'org.apache.kafka.tools.TransactionsCommand',
  'broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
  'verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
  'client-compatibility-test': 'org.apache.kafka.tools.ClientCompatibilityTest',
  'transactional-message-copier': 'org.apache.kafka.tools.TransactionalMessageCopier',
} as const;

export type ToolName = keyof typeof mainClasses;

/** What has another name in the older line. */
const olderClasses: Partial<Record<ToolName, string>> = {
  'console-producer': 'kafka.tools.ConsoleProducer',
  'broker-api-versions': 'kafka.admin.BrokerApiVersionsCommand',
};

/** Option names that differ between the lines. */
const optionNames = {
  '3.9': { reader: '--property', formatter: '--property', count: '--messages' },
  '4': { reader: '--reader-property', formatter: '--formatter-property', count: '--num-records' },
} as const satisfies Record<KafkaLine, object>;

/** How a program is told the broker's address, where it is not by `--bootstrap-server`. */
const addressOptions: Partial<Record<ToolName, (bootstrap: string) => readonly string[]>> = {
  'producer-perf-test': bootstrap => ['--producer-props', `bootstrap.servers=${bootstrap}`],
  'transactional-message-copier': bootstrap => ['--broker-list', bootstrap],
};

/** A record as the console consumer prints it. */
export interface ConsoleRecord {
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string;
}

export interface ConsumeOptions {
  /** How many records are awaited; the tool ends after them, or after ten seconds without one. */
  readonly count: number;
  readonly group?: string;
  /** More arguments of kafka-console-consumer, in place of `--from-beginning`. */
  readonly from?: readonly string[];
  readonly readCommitted?: boolean;
}

/** Kafka's own command-line programs, pointed at one broker. */
export class KafkaTools {
  readonly #kafka: KafkaDistribution;
  readonly bootstrap: string;
  readonly options: (typeof optionNames)[KafkaLine];

  constructor(kafka: KafkaDistribution, bootstrap: string) {
    this.#kafka = kafka;
    this.bootstrap = bootstrap;
    this.options = optionNames[kafka.line];
  }

  /** Runs a program to its end. It is told the broker's address. */
  run(tool: ToolName, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return runJava(this.#kafka, this.#mainClass(tool), this.#arguments(tool, args), options);
  }

  /** Starts a program that a test ends itself. */
  start(tool: ToolName, args: readonly string[]): ChildProcess {
    return startJava(this.#kafka, this.#mainClass(tool), this.#arguments(tool, args));
  }

  #mainClass(tool: ToolName): string {
    return (this.#kafka.line === '3.9' ? olderClasses[tool] : undefined) ?? mainClasses[tool];
  }

  #arguments(tool: ToolName, args: readonly string[]): readonly string[] {
    const address = addressOptions[tool]?.(this.bootstrap) ?? ['--bootstrap-server', this.bootstrap];
    // Two programs have commands of their own: one wants the address before the command, one after it.
    return tool === 'transactions' ? [...address, ...args] : [...args, ...address];
  }

  /** Runs a program that must succeed; answers what it printed. */
  async ok(tool: ToolName, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(tool, args, options);
    if (code === 0) return stdout;
    throw new Error(`kafka-${tool} ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
  }

  /** kafka-topics --create. */
  async createTopic(topic: string, partitions: number, ...args: string[]): Promise<void> {
    await this.ok('topics', ['--create', '--topic', topic, '--partitions', String(partitions), ...args]);
  }

  /** kafka-console-producer with lines `key:value`. */
  async produce(topic: string, lines: readonly string[], ...args: string[]): Promise<void> {
    const { reader } = this.options;
    await this.ok(
      'console-producer',
      ['--topic', topic, reader, 'parse.key=true', reader, 'key.separator=:', ...args],
      { input: `${lines.join('\n')}\n` },
    );
  }

  /** kafka-console-consumer, by default from the beginning. */
  async consume(topic: string, options: ConsumeOptions): Promise<readonly ConsoleRecord[]> {
    const { count, group, from = ['--from-beginning'], readCommitted = false } = options;
    const shown = ['key', 'partition', 'offset', 'timestamp'];
    const output = await this.ok('console-consumer', [
      '--topic',
      topic,
      `--max-messages=${count}`,
      '--timeout-ms=10000',
      ...shown.flatMap(what => [this.options.formatter, `print.${what}=true`]),
      ...(group === undefined ? [] : ['--group', group]),
      ...(readCommitted ? ['--isolation-level', 'read_committed'] : []),
      ...from,
    ]);
    return output.trimEnd().split('\n').flatMap(readRecord);
  }

  /** kafka-get-offsets: offset by partition. */
  async offsets(topic: string, time: string): Promise<Readonly<Record<number, number>>> {
    const output = await this.ok('get-offsets', ['--topic', topic, '--time', time]);
    return Object.fromEntries(
      output
        .trim()
        .split('\n')
        .map(line => line.split(':').slice(-2).map(Number)),
    );
  }
}

function readRecord(line: string): readonly ConsoleRecord[] {
  const match = /^\w+:(\d+)\tPartition:(\d+)\tOffset:(\d+)\t([^\t]*)\t(.*)$/.exec(line);
  if (!match) return [];
  const [, timestamp, partition, offset, key = '', value = ''] = match;
  return [
    {
      partition: Number(partition),
      offset: Number(offset),
      timestamp: Number(timestamp),
      key: key === 'null' ? null : key,
      value,
    },
  ];
}
