import type { GroupCoordinator } from '../src/groups/group-coordinator.ts';
import { errorCodes } from '../src/wire/error-codes.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface MemberOptions {
  readonly name: string;
  readonly instanceId?: string;
  readonly sessionTimeoutMs?: number;
}

const HEARTBEAT_MS = 1000;
const REBALANCE_MS = 5000;

/** A consumer as the protocol guide describes one, without a network: joins, syncs, heartbeats, leaves or dies. */
export class VirtualMember {
  readonly name: string;
  readonly #coordinator: GroupCoordinator;
  readonly #time: VirtualTime;
  readonly #partitions: number;
  readonly #options: MemberOptions;
  #closing = new AbortController();
  #memberId = '';
  #alive = true;
  generationId = -1;
  /** Partitions it may read, while it believes to be in the generation. */
  assigned: readonly number[] = [];

  constructor(coordinator: GroupCoordinator, time: VirtualTime, partitions: number, options: MemberOptions) {
    this.#coordinator = coordinator;
    this.#time = time;
    this.#partitions = partitions;
    this.#options = options;
    this.name = options.name;
  }

  get memberId(): string {
    return this.#memberId;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  /** Runs until it leaves or dies. */
  start(): void {
    void this.#join();
  }

  /** Says goodbye. */
  leave(): void {
    this.#alive = false;
    this.#forget();
    this.#coordinator.leave('g', {
      memberId: this.#memberId,
      groupInstanceId: this.#options.instanceId ?? null,
    });
    this.#closing.abort();
  }

  /** Is gone without a word; its session has to run out. */
  die(): void {
    this.#alive = false;
    this.#closing.abort();
  }

  async #join(): Promise<void> {
    while (this.#alive) {
      const joined = await this.#coordinator.join(this.#joinRequest(), this.#closing.signal);
      if (!this.#alive) return;
      if (joined.errorCode === errorCodes.memberIdRequired) this.#memberId = joined.memberId;
      else if (joined.errorCode === errorCodes.unknownMemberId) this.#memberId = '';
      else if (joined.errorCode === errorCodes.none) {
        this.#memberId = joined.memberId;
        this.generationId = joined.generationId;
        const ids = joined.members.map(({ memberId }) => memberId);
        if (await this.#sync(joined.leader === joined.memberId ? ids : [])) return;
      } else throw new Error(`${this.name} was refused with ${joined.errorCode}`);
    }
  }

  async #sync(members: readonly string[]): Promise<boolean> {
    const assignments = members.map((memberId, index) => {
      const share = Array.from({ length: this.#partitions }, (_, partition) => partition);
      const mine = share.filter(partition => partition % members.length === index);
      return { memberId, assignment: Buffer.from(JSON.stringify(mine)) };
    });
    const synced = await this.#coordinator.sync(
      { ...this.#claim(), groupId: 'g', protocolType: null, protocolName: null, assignments },
      this.#closing.signal,
    );
    if (!this.#alive) return true;
    if (synced.errorCode === errorCodes.unknownMemberId) this.#memberId = '';
    if (synced.errorCode !== errorCodes.none) return false;
    this.assigned = JSON.parse(synced.assignment.toString() || '[]') as number[];
    this.#time.schedule(HEARTBEAT_MS, () => this.#heartbeat());
    return true;
  }

  #heartbeat(): void {
    if (!this.#alive) return;
    const errorCode = this.#coordinator.heartbeat('g', this.#claim());
    if (errorCode === errorCodes.none) {
      this.#time.schedule(HEARTBEAT_MS, () => this.#heartbeat());
      return;
    }
    if (errorCode === errorCodes.unknownMemberId) this.#memberId = '';
    this.#forget();
    void this.#join();
  }

  #forget(): void {
    this.assigned = [];
    this.generationId = -1;
  }

  #claim() {
    return {
      memberId: this.#memberId,
      groupInstanceId: this.#options.instanceId ?? null,
      generationId: this.generationId,
    };
  }

  #joinRequest() {
    return {
      groupId: 'g',
      memberId: this.#memberId,
      groupInstanceId: this.#options.instanceId ?? null,
      clientId: this.name,
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: this.#options.sessionTimeoutMs ?? 6000,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from(this.name) }],
      canRejoinWithId: true,
    };
  }
}
