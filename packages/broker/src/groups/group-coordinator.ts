import { randomUUID } from 'node:crypto';
import { errorCodes } from '../wire/error-codes.ts';
import type { Group } from './group.ts';
import type { GroupRegistry } from './group-registry.ts';
import {
  type JoinResult,
  joinRefusal,
  type Member,
  type MemberProtocol,
  type SyncResult,
  syncRefusal,
} from './member.ts';

export interface JoinRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  /** The client understands MEMBER_ID_REQUIRED (JoinGroup 4, KIP-394). */
  readonly canRejoinWithId: boolean;
}

export interface SyncRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
}

/** Names a member in a generation: heartbeats, commits. */
export interface MemberClaim {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
}

export interface SessionBounds {
  readonly sessionMsMin: number;
  readonly sessionMsMax: number;
  readonly groupSizeMax: number;
}

/** Checks what members ask for against the state of their group and passes on what is allowed. */
export class GroupCoordinator {
  readonly registry: GroupRegistry;
  readonly #bounds: SessionBounds;

  constructor(registry: GroupRegistry, bounds: SessionBounds) {
    this.registry = registry;
    this.#bounds = bounds;
  }

  join(request: JoinRequest, closed: AbortSignal): Promise<JoinResult> {
    const refused = (errorCode: number) => Promise.resolve(joinRefusal(request.memberId, errorCode));
    if (request.groupId === '') return refused(errorCodes.invalidGroupId);
    const { sessionMsMin, sessionMsMax } = this.#bounds;
    if (request.sessionTimeoutMs < sessionMsMin || request.sessionTimeoutMs > sessionMsMax) {
      return refused(errorCodes.invalidSessionTimeout);
    }
    const known = this.registry.get(request.groupId);
    if (!known && request.memberId !== '') return refused(errorCodes.unknownMemberId);
    const group = known ?? this.registry.create(request.groupId);
    return request.memberId === ''
      ? this.#joinNew(group, request, closed)
      : this.#joinKnown(group, request, closed);
  }

  sync(request: SyncRequest, closed: AbortSignal): Promise<SyncResult> {
    const group = this.registry.get(request.groupId);
    const refused = (errorCode: number) => Promise.resolve(syncRefusal(errorCode));
    if (request.groupId === '') return refused(errorCodes.invalidGroupId);
    if (!group) return refused(errorCodes.unknownMemberId);
    const member = this.#claimedMember(group, request);
    if (typeof member === 'number') return refused(member);
    if (request.generationId !== group.generationId) return refused(errorCodes.illegalGeneration);
    const isOtherType = request.protocolType !== null && request.protocolType !== group.protocolType;
    const isOtherName = request.protocolName !== null && request.protocolName !== group.protocolName;
    if (isOtherType || isOtherName) return refused(errorCodes.inconsistentGroupProtocol);
    return this.#syncInState(group, member, request, closed);
  }

  heartbeat(groupId: string, claim: MemberClaim): number {
    if (groupId === '') return errorCodes.invalidGroupId;
    const group = this.registry.get(groupId);
    if (!group || group.state === 'Empty' || group.state === 'Dead') return errorCodes.unknownMemberId;
    const member = this.#claimedMember(group, claim);
    if (typeof member === 'number') return member;
    if (claim.generationId !== group.generationId) return errorCodes.illegalGeneration;
    group.touch(member);
    return group.state === 'PreparingRebalance' ? errorCodes.rebalanceInProgress : errorCodes.none;
  }

  /** A member leaves, or an administrator removes a static member by its instance id. Returns the error code. */
  leave(
    groupId: string,
    leaving: { readonly memberId: string; readonly groupInstanceId: string | null },
  ): number {
    const group = this.registry.get(groupId);
    if (!group || group.state === 'Dead') return errorCodes.unknownMemberId;
    if (leaving.memberId === '' && leaving.groupInstanceId !== null) {
      const removed = group.staticMember(leaving.groupInstanceId);
      if (!removed) return errorCodes.unknownMemberId;
      group.remove(removed);
      return errorCodes.none;
    }
    if (group.isPending(leaving.memberId)) {
      group.removePending(leaving.memberId);
      return errorCodes.none;
    }
    const member = this.#claimedMember(group, leaving);
    if (typeof member === 'number') return member;
    group.remove(member);
    return errorCodes.none;
  }

  /** Whether the claim may commit offsets for the group; the error code says why not. */
  checkCommit(groupId: string, claim: MemberClaim, unknownGroupCode: number): number {
    const group = this.registry.get(groupId);
    const isOutsider = claim.generationId < 0; // an administrator, or a consumer that shares nothing with others
    if (!group || group.state === 'Dead') return isOutsider ? errorCodes.none : unknownGroupCode;
    if (isOutsider && group.state === 'Empty') return errorCodes.none;
    const refused = this.#checkMember(group, claim);
    if (refused !== errorCodes.none) return refused;
    return group.state === 'CompletingRebalance' ? errorCodes.rebalanceInProgress : errorCodes.none;
  }

  /**
   * The same for offsets that are part of a transaction. Who names no member is not asked for one, as older clients
   * cannot; and a rebalance does not hold up a member of the new generation, because its producer could not wait.
   */
  checkTransactionalCommit(groupId: string, claim: MemberClaim): number {
    const group = this.registry.get(groupId);
    const isOutsider = claim.generationId < 0;
    if (!group || group.state === 'Dead') return isOutsider ? errorCodes.none : errorCodes.illegalGeneration;
    const namesMember = !isOutsider || claim.memberId !== '' || claim.groupInstanceId !== null;
    return namesMember && !(isOutsider && group.state === 'Empty')
      ? this.#checkMember(group, claim)
      : errorCodes.none;
  }

  #checkMember(group: Group, claim: MemberClaim): number {
    const member = this.#claimedMember(group, claim);
    if (typeof member === 'number') return member;
    if (claim.generationId !== group.generationId) return errorCodes.illegalGeneration;
    group.touch(member);
    return errorCodes.none;
  }

  #joinNew(group: Group, request: JoinRequest, closed: AbortSignal): Promise<JoinResult> {
    const old = request.groupInstanceId === null ? undefined : group.staticMember(request.groupInstanceId);
    if (!group.accepts(request.protocolType, request.protocols, old)) {
      return Promise.resolve(joinRefusal('', errorCodes.inconsistentGroupProtocol));
    }
    if (!old && group.members.length >= this.#bounds.groupSizeMax) {
      return Promise.resolve(joinRefusal('', errorCodes.groupMaxSizeReached));
    }
    const memberId = `${request.groupInstanceId ?? request.clientId}-${randomUUID()}`;
    const description = describe(request, memberId);
    if (old) return group.replaceStatic(old, description, closed);
    if (request.groupInstanceId === null && request.canRejoinWithId) {
      group.addPending(memberId, request.sessionTimeoutMs);
      return Promise.resolve(joinRefusal(memberId, errorCodes.memberIdRequired));
    }
    return group.addMember(description, request.protocolType, closed);
  }

  #joinKnown(group: Group, request: JoinRequest, closed: AbortSignal): Promise<JoinResult> {
    const refused = (errorCode: number) => Promise.resolve(joinRefusal(request.memberId, errorCode));
    if (group.isPending(request.memberId)) {
      if (!group.accepts(request.protocolType, request.protocols))
        return refused(errorCodes.inconsistentGroupProtocol);
      return group.addMember(describe(request, request.memberId), request.protocolType, closed);
    }
    const member = this.#claimedMember(group, request);
    if (typeof member === 'number') return refused(member);
    if (!group.accepts(request.protocolType, request.protocols, member)) {
      return refused(errorCodes.inconsistentGroupProtocol);
    }
    return this.#rejoinInState(group, member, request, closed);
  }

  #rejoinInState(
    group: Group,
    member: Member,
    request: JoinRequest,
    closed: AbortSignal,
  ): Promise<JoinResult> {
    const description = describe(request, member.id);
    const isSame = member.matches(request.protocols);
    switch (group.state) {
      case 'PreparingRebalance':
        return group.rejoin(member, description, closed);
      case 'CompletingRebalance':
        if (!isSame) return group.rejoin(member, description, closed);
        break;
      case 'Stable':
        if (!isSame || group.isLeader(member)) return group.rejoin(member, description, closed);
        break;
      case 'Empty':
      case 'Dead':
        return Promise.resolve(joinRefusal(member.id, errorCodes.unknownMemberId));
    }
    group.touch(member);
    return Promise.resolve(group.currentJoin(member));
  }

  #syncInState(group: Group, member: Member, request: SyncRequest, closed: AbortSignal): Promise<SyncResult> {
    switch (group.state) {
      case 'PreparingRebalance':
        return Promise.resolve(syncRefusal(errorCodes.rebalanceInProgress));
      case 'CompletingRebalance': {
        const result = group.parkSync(member, closed);
        if (group.isLeader(member)) {
          const assignments = request.assignments.map(
            ({ memberId, assignment }) => [memberId, Buffer.from(assignment)] as const,
          );
          void group.assign(new Map(assignments));
        }
        return result;
      }
      case 'Stable':
        member.hasSynced = true;
        group.touch(member);
        return Promise.resolve(group.currentSync(member));
      case 'Empty':
      case 'Dead':
        return Promise.resolve(syncRefusal(errorCodes.unknownMemberId));
    }
  }

  /** The member that the request speaks for, or the error code that says why it may not. */
  #claimedMember(
    group: Group,
    claim: { readonly memberId: string; readonly groupInstanceId: string | null },
  ): Member | number {
    if (claim.groupInstanceId !== null) {
      const holder = group.staticMember(claim.groupInstanceId);
      if (!holder) return errorCodes.unknownMemberId;
      if (holder.id !== claim.memberId) return errorCodes.fencedInstanceId;
    }
    return group.member(claim.memberId) ?? errorCodes.unknownMemberId;
  }
}

/** The frame the request came in is reused by nobody, but it is large: metadata that is kept is copied out of it. */
function describe(request: JoinRequest, memberId: string): Member['description'] {
  return {
    memberId,
    instanceId: request.groupInstanceId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
  };
}
