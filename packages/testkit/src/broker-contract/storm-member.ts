import { connect, Socket } from 'node:net';
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { type BrokerTarget, uniqueName } from './target.ts';

/** The time from one join to the next: what the member owned and what it was handed meanwhile. */
export interface Tenure {
  readonly memberId: string;
  readonly owned: readonly number[];
  /** Known once the broker has accepted a heartbeat or a commit of this tenure. */
  generation: number | null;
  /** Places that were processed, each as "partition/offset". */
  readonly processed: string[];
}

/** A group that members come to and go from. */
export interface StormGroup {
  readonly target: BrokerTarget;
  readonly topic: string;
  readonly groupId: string;
  /** Told of each value that a living member was handed. */
  readonly seen: (value: string) => void;
}

/** A consumer that can leave its group, or die without a word. */
export class StormMember {
  readonly tenures: Tenure[] = [];
  readonly #consumer: Consumer;
  readonly #group: StormGroup;
  readonly #sockets = new Set<Socket>();
  #isAlive = true;
  #isCutOff = false;

  constructor(group: StormGroup) {
    this.#group = group;
    this.#consumer = new Kafka({
      clientId: uniqueName('member'),
      brokers: [group.target.address()],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 8 },
      socketFactory: ({ host, port, onConnect }) => this.#connect(host, port, onConnect),
    }).consumer({
      groupId: group.groupId,
      sessionTimeout: 6000,
      rebalanceTimeout: 10_000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 500,
      retry: { restartOnFailure: async () => this.#isAlive },
    });
    this.#follow();
  }

  /** Resolves when it has joined. */
  async join(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic: this.#group.topic, fromBeginning: true });
    await this.#consumer.run({
      autoCommitThreshold: 1,
      eachMessage: async ({ partition, message }) => {
        if (!this.#isAlive) return;
        this.tenures.at(-1)?.processed.push(`${partition}/${message.offset}`);
        this.#group.seen(message.value?.toString() ?? '');
      },
    });
  }

  /** Says goodbye to its group. */
  async leave(): Promise<void> {
    this.#isAlive = false;
    await this.#consumer.disconnect();
  }

  /** Is cut off from the network for good, as a process that was killed: its session has to run out. */
  async die(): Promise<void> {
    this.#isAlive = false;
    this.#isCutOff = true;
    for (const socket of this.#sockets) socket.destroy(new Error('this member is dead'));
    await this.#consumer.disconnect().catch(() => {});
  }

  #follow(): void {
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      const owned = payload.memberAssignment[this.#group.topic] ?? [];
      this.tenures.push({ memberId: payload.memberId, owned, generation: null, processed: [] });
    });
    const accepted = ({ payload }: { payload: { memberId: string; groupGenerationId: number } }) => {
      const tenure = this.tenures.at(-1);
      if (tenure?.memberId === payload.memberId) tenure.generation ??= payload.groupGenerationId;
    };
    this.#consumer.on(events.HEARTBEAT, accepted);
    this.#consumer.on(events.COMMIT_OFFSETS, accepted);
  }

  #connect(host: string, port: number, onConnect: () => void): Socket {
    if (this.#isCutOff) return refused();
    const socket = connect(port, host, onConnect);
    this.#sockets.add(socket);
    return socket;
  }
}

function refused(): Socket {
  const socket = new Socket();
  setImmediate(() => socket.destroy(new Error('this member is dead')));
  return socket;
}
