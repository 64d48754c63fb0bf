import { type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { endProcess } from '@tidemark/testkit';
import type { KafkaTools } from './tools.ts';

interface MemberEvent {
  readonly name: string;
  readonly count?: number;
  readonly partitions?: readonly { readonly partition: number; readonly count?: number }[];
}

/** One member of a consumer group: a kafka-verifiable-consumer, followed by the events that it prints. */
export class GroupMember {
  readonly #process: ChildProcess;
  /** Partitions that it holds now. */
  readonly owned = new Set<number>();
  /** Every partition that was ever taken from it, in order. */
  readonly revoked: number[] = [];
  /** Records that it was handed. */
  consumed = 0;

  constructor(tools: KafkaTools, topic: string, group: string, ...args: readonly string[]) {
    this.#process = tools.start('verifiable-consumer', [
      `--topic=${topic}`,
      `--group-id=${group}`,
      '--reset-policy=earliest',
      '--session-timeout=6000',
      ...args,
    ]);
    if (this.#process.stdout === null) throw new Error('the consumer has no output');
    createInterface(this.#process.stdout).on('line', line => this.#follow(JSON.parse(line) as MemberEvent));
  }

  #follow({ name, count = 0, partitions = [] }: MemberEvent): void {
    if (name === 'records_consumed') this.consumed += count;
    for (const { partition } of partitions) {
      if (name === 'partitions_assigned') this.owned.add(partition);
      if (name === 'partitions_revoked') {
        this.owned.delete(partition);
        this.revoked.push(partition);
      }
    }
  }

  /** Ends it: with SIGTERM it leaves its group first, with SIGKILL the group has to notice. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return endProcess(this.#process, signal);
  }
}
