import { errorCodes } from '../wire/error-codes.ts';
import type { Timers } from '../timers.ts';
import {
  commonProtocols,
  electProtocol,
  type JoinResult,
  joinRefusal,
  Member,
  type MemberDescription,
  type MemberProtocol,
  type SyncResult,
  syncRefusal,
} from './member.ts';

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/** A member that waits in a rebalance for the first time is given up after this long, whatever its session timeout. */
const NEW_MEMBER_JOIN_MS = 5 * 60_000;

/** What a group needs from outside. */
export interface GroupEnvironment {
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number;
  /** How long the first rebalance of an empty group waits for more members. */
  readonly initialDelayMs: number;
  /** Called when the group reached a state that must survive a restart. */
  readonly changed: (group: Group) => void;
}

/** What survives a restart. */
export interface GroupSnapshot {
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leaderId: string | null;
  readonly members: readonly { readonly description: MemberDescription; readonly assignment: Buffer }[];
}

/**
 * The classic group protocol's state machine for one group (Kafka's GroupCoordinator, KIP-62, KIP-345, KIP-394).
 * It keeps members, generations and timers; requests are checked and routed by the coordinator in front of it.
 */
export class Group {
  readonly id: string;
  readonly #env: GroupEnvironment;
  #state: GroupState = 'Empty';
  #generationId = 0;
  #protocolType: string | null = null;
  #protocolName: string | null = null;
  #leaderId: string | null = null;
  readonly #members = new Map<string, Member>();
  readonly #idsByInstance = new Map<string, string>();
  /** Ids handed out with MEMBER_ID_REQUIRED that have not joined yet, with how to forget them. */
  readonly #pending = new Map<string, () => void>();
  #cancelRebalanceTimer: () => void = () => {};
  #cancelSyncTimer: () => void = () => {};
  /** Set while the first rebalance of an empty group waits for more members. */
  #delaying = false;
  #newMemberJoined = false;

  constructor(id: string, env: GroupEnvironment) {
    this.id = id;
    this.#env = env;
  }

  get state(): GroupState {
    return this.#state;
  }

  get generationId(): number {
    return this.#generationId;
  }

  get protocolType(): string | null {
    return this.#protocolType;
  }

  get protocolName(): string | null {
    return this.#protocolName;
  }

  get members(): readonly Member[] {
    return [...this.#members.values()];
  }

  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  member(memberId: string): Member | undefined {
    return this.#members.get(memberId);
  }

  /** The member that holds a static instance id. */
  staticMember(instanceId: string): Member | undefined {
    return this.#members.get(this.#idsByInstance.get(instanceId) ?? '');
  }

  isPending(memberId: string): boolean {
    return this.#pending.has(memberId);
  }

  /** True when a member with these strategies could be in the group. */
  accepts(protocolType: string, protocols: readonly MemberProtocol[], except?: Member): boolean {
    if (protocolType === '' || protocols.length === 0) return false;
    const others = this.members.filter(member => member !== except);
    if (this.#state === 'Empty' || others.length === 0) return true;
    if (protocolType !== this.#protocolType) return false;
    const common = commonProtocols(others);
    return protocols.some(({ name }) => common.has(name));
  }

  /** Reserves an id that the client must come back with (KIP-394). It blocks the rebalance until then, or expires. */
  addPending(memberId: string, sessionTimeoutMs: number): void {
    const cancel = this.#env.timers.schedule(sessionTimeoutMs, () => this.removePending(memberId));
    this.#pending.set(memberId, cancel);
  }

  removePending(memberId: string): void {
    this.#pending.get(memberId)?.();
    if (this.#pending.delete(memberId)) this.#completeJoinWhenReady();
  }

  /** A new member joins and waits for the rebalance that it causes. */
  addMember(description: MemberDescription, protocolType: string, closed: AbortSignal): Promise<JoinResult> {
    if (this.#members.size === 0) this.#protocolType = protocolType;
    this.#pending.get(description.memberId)?.();
    this.#pending.delete(description.memberId);
    const member = new Member(description);
    this.#members.set(member.id, member);
    if (member.instanceId !== null) this.#idsByInstance.set(member.instanceId, member.id);
    this.#leaderId ??= member.id;
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
    if (this.#state !== 'Stable') return this.rejoin(member, description, closed);
    const electedStays = isSame || electProtocol(this.members) === this.#protocolName;
    if (!electedStays) return this.rejoin(member, description, closed);
    this.#env.changed(this);
    member.isNew = false;
    this.touch(member);
    return Promise.resolve({ ...this.currentJoin(member), skipAssignment: member.id === this.#leaderId });
  }

  /** The current generation as a JoinGroup answer for a member that is already in it. */
  currentJoin(member: Member): JoinResult {
    const isLeader = member.id === this.#leaderId;
    return {
      errorCode: errorCodes.none,
      memberId: member.id,
      generationId: this.#generationId,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leader: this.#leaderId ?? '',
      skipAssignment: false,
      members: isLeader ? this.members.map(other => this.#introduce(other)) : [],
    };
  }

  isLeader(member: Member): boolean {
    return member.id === this.#leaderId;
  }

  /** Parks a SyncGroup until the leader's has come. When the connection goes, the session decides about the member. */
  parkSync(member: Member, closed: AbortSignal): Promise<SyncResult> {
    member.answerSync(syncRefusal(errorCodes.unknownMemberId)); // an older request of the same member
    member.hasSynced = true;
    return new Promise(resolve => {
      const left = () => {
        if (member.syncWaiter === answer) member.syncWaiter = null;
        answer(syncRefusal(errorCodes.unknownMemberId));
        this.touch(member);
      };
      const answer = (result: SyncResult) => {
        closed.removeEventListener('abort', left);
        resolve(result);
      };
      member.syncWaiter = answer;
      closed.addEventListener('abort', left);
    });
  }

  /** The leader's decision: everybody who waits gets a part of it, and the group is stable. */
  assign(assignments: ReadonlyMap<string, Buffer>): void {
    for (const member of this.#members.values())
      member.assignment = assignments.get(member.id) ?? Buffer.alloc(0);
    this.#state = 'Stable';
    this.#env.changed(this);
    for (const member of this.#members.values()) {
      if (!member.syncWaiter) continue;
      member.answerSync(this.currentSync(member));
      this.touch(member);
    }
  }

  currentSync(member: Member): SyncResult {
    return {
      errorCode: errorCodes.none,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      assignment: member.assignment,
    };
  }

  /** A sign of life: the session starts again. */
  touch(member: Member): void {
    this.#setDeadline(member, member.description.sessionTimeoutMs);
  }

  /** Takes a member out, and lets the others share what it had. */
  remove(member: Member): void {
    this.#drop(member);
    member.answerJoin(joinRefusal(member.id, errorCodes.unknownMemberId));
    member.answerSync(syncRefusal(errorCodes.unknownMemberId));
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance') this.rebalance();
    else if (this.#state === 'PreparingRebalance') this.#completeJoinWhenReady();
  }

  /** Asks everybody to join again; does nothing when that is already under way. */
  rebalance(): void {
    if (this.#state === 'PreparingRebalance') {
      this.#completeJoinWhenReady();
      return;
    }
    if (this.#state === 'CompletingRebalance') this.#refuseSyncs();
    this.#cancelSyncTimer();
    const delayMs = this.#state === 'Empty' ? this.#env.initialDelayMs : 0;
    this.#state = 'PreparingRebalance';
    if (delayMs > 0) this.#delayCompletion(delayMs, this.#rebalanceTimeoutMs());
    else this.#awaitJoins();
  }

  /** The group is deleted or the broker stops: everybody who waits is sent away. */
  close(): void {
    this.#state = 'Dead';
    this.#cancelRebalanceTimer();
    this.#cancelSyncTimer();
    for (const cancel of this.#pending.values()) cancel();
    this.#pending.clear();
    for (const member of this.members) {
      member.cancelSessionTimer();
      member.answerJoin(joinRefusal(member.id, errorCodes.coordinatorNotAvailable));
      member.answerSync(syncRefusal(errorCodes.coordinatorNotAvailable));
    }
  }

  snapshot(): GroupSnapshot {
    return {
      generationId: this.#generationId,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leaderId: this.#leaderId,
      members: this.members.map(({ description, assignment }) => ({ description, assignment })),
    };
  }

  /** Takes up where the broker stopped: members that still live will heartbeat as if nothing had happened. */
  restore(snapshot: GroupSnapshot): void {
    this.#generationId = snapshot.generationId;
    this.#protocolType = snapshot.protocolType;
    this.#protocolName = snapshot.protocolName;
    this.#leaderId = snapshot.leaderId;
    this.#state = snapshot.members.length > 0 ? 'Stable' : 'Empty';
    for (const { description, assignment } of snapshot.members) {
      const member = new Member(description);
      member.assignment = assignment;
      member.isNew = false;
      member.hasSynced = true;
      this.#members.set(member.id, member);
      if (member.instanceId !== null) this.#idsByInstance.set(member.instanceId, member.id);
      this.touch(member);
    }
  }

  #introduce(member: Member): JoinResult['members'][number] {
    return {
      memberId: member.id,
      groupInstanceId: member.instanceId,
      metadata: member.metadataFor(this.#protocolName),
    };
  }

  #parkJoin(member: Member, closed: AbortSignal): Promise<JoinResult> {
    member.answerJoin(joinRefusal(member.id, errorCodes.unknownMemberId)); // an older request of the same member
    if (member.isNew) this.#setDeadline(member, NEW_MEMBER_JOIN_MS);
    else this.touch(member);
    return new Promise(resolve => {
      const left = () => {
        if (member.joinWaiter === answer) member.joinWaiter = null;
        answer(joinRefusal(member.id, errorCodes.unknownMemberId));
        this.touch(member);
      };
      const answer = (result: JoinResult) => {
        closed.removeEventListener('abort', left);
        resolve(result);
      };
      member.joinWaiter = answer;
      closed.addEventListener('abort', left);
    });
  }

  #takeOver(old: Member, description: MemberDescription): Member {
    const member = new Member(description);
    member.assignment = old.assignment;
    member.hasSynced = old.hasSynced;
    const wasLeader = this.#leaderId === old.id;
    this.#drop(old);
    old.answerJoin(joinRefusal(old.id, errorCodes.fencedInstanceId));
    old.answerSync(syncRefusal(errorCodes.fencedInstanceId));
    this.#members.set(member.id, member);
    if (member.instanceId !== null) this.#idsByInstance.set(member.instanceId, member.id);
    if (wasLeader) this.#leaderId = member.id;
    return member;
  }

  #drop(member: Member): void {
    member.cancelSessionTimer();
    this.#members.delete(member.id);
    if (member.instanceId !== null && this.#idsByInstance.get(member.instanceId) === member.id) {
      this.#idsByInstance.delete(member.instanceId);
    }
    if (this.#leaderId === member.id) this.#leaderId = this.#members.keys().next().value ?? null;
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
    this.#cancelRebalanceTimer = this.#env.timers.schedule(this.#rebalanceTimeoutMs(), () =>
      this.#completeJoin(),
    );
    this.#completeJoinWhenReady();
  }

  #rebalanceTimeoutMs(): number {
    return Math.max(0, ...this.members.map(member => member.description.rebalanceTimeoutMs));
  }

  #completeJoinWhenReady(): void {
    if (this.#state !== 'PreparingRebalance' || this.#delaying || this.#pending.size > 0) return;
    if (this.members.every(member => member.joinWaiter !== null)) this.#completeJoin();
  }

  #completeJoin(): void {
    this.#cancelRebalanceTimer();
    for (const member of this.members) {
      if (member.joinWaiter === null && !member.isStatic) this.#drop(member);
    }
    if (this.#members.size === 0) {
      this.#becomeEmpty();
      return;
    }
    const leader = this.#members.get(this.#leaderId ?? '');
    const elected = leader?.joinWaiter ? leader : this.members.find(member => member.joinWaiter !== null);
    if (!elected) {
      this.#awaitJoins(); // only static members that have not come back: wait for them once more
      return;
    }
    this.#leaderId = elected.id;
    this.#beginGeneration();
  }

  #becomeEmpty(): void {
    this.#generationId += 1;
    this.#protocolName = null;
    this.#leaderId = null;
    this.#state = 'Empty';
    this.#env.changed(this);
  }

  #beginGeneration(): void {
    this.#generationId += 1;
    this.#protocolName = electProtocol(this.members);
    this.#state = 'CompletingRebalance';
    for (const member of this.members) {
      member.hasSynced = false;
      member.assignment = Buffer.alloc(0);
      if (!member.joinWaiter) continue;
      member.isNew = false;
      this.touch(member);
    }
    this.#cancelSyncTimer();
    this.#cancelSyncTimer = this.#env.timers.schedule(this.#rebalanceTimeoutMs(), () =>
      this.#dropSilentMembers(),
    );
    for (const member of this.members) member.answerJoin(this.currentJoin(member));
  }

  /** Members that joined but never asked for their assignment would hold partitions that nobody reads. */
  #dropSilentMembers(): void {
    if (this.#state !== 'CompletingRebalance' && this.#state !== 'Stable') return;
    const silent = this.members.filter(member => !member.hasSynced);
    if (silent.length === 0) return;
    for (const member of silent) this.#drop(member);
    this.rebalance();
  }

  #refuseSyncs(): void {
    for (const member of this.#members.values())
      member.answerSync(syncRefusal(errorCodes.rebalanceInProgress));
  }

  #setDeadline(member: Member, delayMs: number): void {
    const before = member.deadlineMs;
    member.deadlineMs = this.#env.monotonicMs() + delayMs;
    // A timer that fires earlier looks at the deadline and goes on waiting, so a heartbeat costs no timer.
    if (before !== 0 && member.deadlineMs >= before) return;
    this.#armSession(member, delayMs);
  }

  #armSession(member: Member, delayMs: number): void {
    member.cancelSessionTimer();
    member.cancelSessionTimer = this.#env.timers.schedule(delayMs, () => {
      const leftMs = member.deadlineMs - this.#env.monotonicMs();
      const isParked = (member.joinWaiter !== null && !member.isNew) || member.syncWaiter !== null;
      if (isParked) this.#armSession(member, member.description.sessionTimeoutMs);
      else if (leftMs > 0) this.#armSession(member, leftMs);
      else this.remove(member);
    });
  }
}
