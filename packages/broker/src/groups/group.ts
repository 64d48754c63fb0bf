import type { Timers } from '../timers.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { GroupGeneration, type GroupSnapshot } from './group-generation.ts';
import {
  electProtocol,
  type JoinResult,
  joinRefusal,
  Member,
  type MemberDescription,
  type SyncResult,
  syncRefusal,
} from './member.ts';
import { Membership } from './membership.ts';
import { Sessions } from './sessions.ts';
import { parkUntilClosed } from './waiters.ts';

/** What a group needs from outside. */
export interface GroupEnvironment {
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number;
  /** How long the first rebalance of an empty group waits for more members. */
  readonly initialDelayMs: number;
  /** Called when the group reached a state that must survive a restart; resolves when it does, or the disk refused. */
  readonly changed: (group: Group) => Promise<void>;
}

/**
 * The classic group protocol's state machine for one group (Kafka's GroupCoordinator, KIP-62, KIP-345, KIP-394).
 * It keeps members, generations and timers; requests are checked and routed by the coordinator in front of it.
 */
export class Group extends GroupGeneration {
  readonly id: string;
  readonly #env: GroupEnvironment;
  readonly #sessions: Sessions;
  #cancelRebalanceTimer: () => void = () => {};
  #cancelSyncTimer: () => void = () => {};
  /** Set while the first rebalance of an empty group waits for more members. */
  #delaying = false;
  #newMemberJoined = false;
  /** The generation whose shares are being written down. */
  #assigning = -1;

  constructor(id: string, env: GroupEnvironment) {
    super(new Membership(env.timers));
    this.id = id;
    this.#env = env;
    this.#sessions = new Sessions(env.timers, env.monotonicMs, member => this.remove(member));
  }

  /** Reserves an id that the client must come back with (KIP-394). It blocks the rebalance until then, or expires. */
  addPending(memberId: string, sessionTimeoutMs: number): void {
    this.membership.addPending(memberId, sessionTimeoutMs, () => this.removePending(memberId));
  }

  removePending(memberId: string): void {
    if (this.membership.removePending(memberId)) this.#completeJoinWhenReady();
  }

  /** A new member joins and waits for the rebalance that it causes. */
  addMember(description: MemberDescription, protocolType: string, closed: AbortSignal): Promise<JoinResult> {
    if (this.membership.size === 0) this.current.protocolType = protocolType;
    const member = new Member(description);
    this.membership.add(member);
    this.#newMemberJoined = true;
    const joined = this.#parkJoin(member, closed);
    this.rebalance();
    return joined;
  }

  /** A known member joins again with news, which makes the others join again too. */
  rejoin(member: Member, description: MemberDescription, closed: AbortSignal): Promise<JoinResult> {
    member.description = description;
    const joined = this.#parkJoin(member, closed);
    this.rebalance();
    return joined;
  }

  /**
   * A restarted client takes over its instance's place under a new id. What the old incarnation still waits for is
   * answered with FENCED_INSTANCE_ID. No rebalance when the group is stable and the newcomer says what the old one said.
   */
  replaceStatic(old: Member, description: MemberDescription, closed: AbortSignal): Promise<JoinResult> {
    const isSame = old.matches(description.protocols);
    const member = this.#takeOver(old, description);
    if (this.current.state !== 'Stable') return this.rejoin(member, description, closed);
    const electedStays = isSame || electProtocol(this.members) === this.current.protocolName;
    if (!electedStays) return this.rejoin(member, description, closed);
    void this.#env.changed(this);
    member.isNew = false;
    this.touch(member);
    return Promise.resolve({
      ...this.currentJoin(member),
      skipAssignment: member.id === this.membership.leaderId,
    });
  }

  /** Parks a SyncGroup until the leader's has come. When the connection goes, the session decides about the member. */
  parkSync(member: Member, closed: AbortSignal): Promise<SyncResult> {
    member.answerSync(syncRefusal(errorCodes.unknownMemberId)); // an older request of the same member
    member.hasSynced = true;
    return parkUntilClosed<SyncResult>(
      closed,
      answer => {
        member.syncWaiter = answer;
      },
      answer => {
        if (member.syncWaiter === answer) member.syncWaiter = null;
        this.touch(member);
        return syncRefusal(errorCodes.unknownMemberId);
      },
    );
  }

  /**
   * The leader's decision: everybody who waits gets a part of it, and the group is stable. First it must be remembered:
   * a broker that forgot it would give the same generation to other owners.
   */
  async assign(assignments: ReadonlyMap<string, Buffer>): Promise<void> {
    const { generationId } = this.current;
    if (this.#assigning === generationId) return; // the leader says it again
    this.#assigning = generationId;
    for (const member of this.members) member.assignment = assignments.get(member.id) ?? Buffer.alloc(0);
    await this.#env.changed(this);
    if (this.current.state !== 'CompletingRebalance' || this.current.generationId !== generationId) return;
    this.current.state = 'Stable';
    for (const member of this.members) {
      if (!member.syncWaiter) continue;
      member.answerSync(this.currentSync(member));
      this.touch(member);
    }
  }

  /** A sign of life: the session starts again. */
  touch(member: Member): void {
    this.#sessions.touch(member);
  }

  /** Takes a member out, and lets the others share what it had. */
  remove(member: Member): void {
    this.membership.drop(member);
    member.answerJoin(joinRefusal(member.id, errorCodes.unknownMemberId));
    member.answerSync(syncRefusal(errorCodes.unknownMemberId));
    if (this.current.state === 'Stable' || this.current.state === 'CompletingRebalance') this.rebalance();
    else if (this.current.state === 'PreparingRebalance') this.#completeJoinWhenReady();
  }

  /** Asks everybody to join again; does nothing when that is already under way. */
  rebalance(): void {
    if (this.current.state === 'PreparingRebalance') {
      this.#completeJoinWhenReady();
      return;
    }
    for (const member of this.members) member.answerSync(syncRefusal(errorCodes.rebalanceInProgress));
    this.#cancelSyncTimer();
    const delayMs = this.current.state === 'Empty' ? this.#env.initialDelayMs : 0;
    this.current.state = 'PreparingRebalance';
    if (delayMs > 0) this.#delayCompletion(delayMs, this.rebalanceTimeoutMs);
    else this.#awaitJoins();
  }

  /** The group is deleted or the broker stops: everybody who waits is sent away. */
  close(): void {
    this.current.state = 'Dead';
    this.#cancelRebalanceTimer();
    this.#cancelSyncTimer();
    this.membership.close();
    for (const member of this.members) {
      member.answerJoin(joinRefusal(member.id, errorCodes.coordinatorNotAvailable));
      member.answerSync(syncRefusal(errorCodes.coordinatorNotAvailable));
    }
  }

  /** Takes up where the broker stopped: members that still live will heartbeat as if nothing had happened. */
  restore(snapshot: GroupSnapshot): void {
    this.current.generationId = snapshot.generationId;
    this.current.protocolType = snapshot.protocolType;
    this.current.protocolName = snapshot.protocolName;
    this.membership.leaderId = snapshot.leaderId;
    this.current.state = snapshot.members.length > 0 ? 'Stable' : 'Empty';
    for (const { description, assignment } of snapshot.members) {
      const member = new Member(description);
      member.assignment = assignment;
      member.isNew = false;
      member.hasSynced = true;
      this.membership.add(member);
      this.touch(member);
    }
  }

  #parkJoin(member: Member, closed: AbortSignal): Promise<JoinResult> {
    member.answerJoin(joinRefusal(member.id, errorCodes.unknownMemberId)); // an older request of the same member
    this.#sessions.parked(member);
    return parkUntilClosed<JoinResult>(
      closed,
      answer => {
        member.joinWaiter = answer;
      },
      answer => {
        if (member.joinWaiter === answer) member.joinWaiter = null;
        this.touch(member);
        return joinRefusal(member.id, errorCodes.unknownMemberId);
      },
    );
  }

  #takeOver(old: Member, description: MemberDescription): Member {
    const member = new Member(description);
    member.assignment = old.assignment;
    member.hasSynced = old.hasSynced;
    const wasLeader = this.membership.leaderId === old.id;
    this.membership.drop(old);
    old.answerJoin(joinRefusal(old.id, errorCodes.fencedInstanceId));
    old.answerSync(syncRefusal(errorCodes.fencedInstanceId));
    this.membership.add(member);
    if (wasLeader) this.membership.leaderId = member.id;
    return member;
  }

  #delayCompletion(delayMs: number, remainingMs: number): void {
    this.#delaying = true;
    this.#newMemberJoined = false;
    this.#cancelRebalanceTimer = this.#env.timers.schedule(delayMs, () => {
      this.#delaying = false;
      const left = remainingMs - delayMs;
      if (this.#newMemberJoined && left > 0)
        this.#delayCompletion(Math.min(this.#env.initialDelayMs, left), left);
      else this.#awaitJoins();
    });
  }

  #awaitJoins(): void {
    this.#cancelRebalanceTimer();
    this.#cancelRebalanceTimer = this.#env.timers.schedule(this.rebalanceTimeoutMs, () =>
      this.#completeJoin(),
    );
    this.#completeJoinWhenReady();
  }

  #completeJoinWhenReady(): void {
    if (this.current.state !== 'PreparingRebalance' || this.#delaying || this.membership.pendingCount > 0)
      return;
    if (this.members.every(member => member.joinWaiter !== null)) this.#completeJoin();
  }

  #completeJoin(): void {
    this.#cancelRebalanceTimer();
    for (const member of this.members) {
      if (member.joinWaiter === null && !member.isStatic) this.membership.drop(member);
    }
    if (this.membership.size === 0) {
      this.#becomeEmpty();
      return;
    }
    const { leader } = this.membership;
    const elected = leader?.joinWaiter ? leader : this.members.find(member => member.joinWaiter !== null);
    if (!elected) {
      this.#awaitJoins(); // only static members that have not come back: wait for them once more
      return;
    }
    this.membership.leaderId = elected.id;
    this.#beginGeneration();
  }

  #becomeEmpty(): void {
    this.current.generationId += 1;
    this.current.protocolName = null;
    this.membership.leaderId = null;
    this.current.state = 'Empty';
    void this.#env.changed(this);
  }

  #beginGeneration(): void {
    this.current.generationId += 1;
    this.current.protocolName = electProtocol(this.members);
    this.current.state = 'CompletingRebalance';
    for (const member of this.members) {
      member.hasSynced = false;
      member.assignment = Buffer.alloc(0);
      if (!member.joinWaiter) continue;
      member.isNew = false;
      this.touch(member);
    }
    this.#cancelSyncTimer();
    this.#cancelSyncTimer = this.#env.timers.schedule(this.rebalanceTimeoutMs, () =>
      this.#dropSilentMembers(),
    );
    for (const member of this.members) member.answerJoin(this.currentJoin(member));
  }

  /** Members that joined but never asked for their assignment would hold partitions that nobody reads. */
  #dropSilentMembers(): void {
    if (this.current.state !== 'CompletingRebalance' && this.current.state !== 'Stable') return;
    const silent = this.members.filter(member => !member.hasSynced);
    if (silent.length === 0) return;
    for (const member of silent) this.membership.drop(member);
    this.rebalance();
  }
}
