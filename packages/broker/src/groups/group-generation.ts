import { errorCodes } from '../wire/error-codes.ts';
import {
  commonProtocols,
  type JoinResult,
  type Member,
  type MemberDescription,
  type MemberProtocol,
  type SyncResult,
} from './member.ts';
import { subscribedTopics } from './subscription.ts';
import type { Membership } from './membership.ts';

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/** What survives a restart. */
export interface GroupSnapshot {
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leaderId: string | null;
  readonly members: readonly { readonly description: MemberDescription; readonly assignment: Buffer }[];
}

/** What the members of a generation have agreed on. */
interface Agreement {
  state: GroupState;
  generationId: number;
  protocolType: string | null;
  protocolName: string | null;
}

/** A group as it is at one moment: its members, its generation and what they agreed on. The state machine changes it. */
export class GroupGeneration {
  protected readonly membership: Membership;
  protected readonly current: Agreement = {
    state: 'Empty',
    generationId: 0,
    protocolType: null,
    protocolName: null,
  };

  constructor(membership: Membership) {
    this.membership = membership;
  }

  get state(): GroupState {
    return this.current.state;
  }

  get generationId(): number {
    return this.current.generationId;
  }

  get protocolType(): string | null {
    return this.current.protocolType;
  }

  get protocolName(): string | null {
    return this.current.protocolName;
  }

  get members(): readonly Member[] {
    return this.membership.all();
  }

  get hasPending(): boolean {
    return this.membership.pendingCount > 0;
  }

  member(memberId: string): Member | undefined {
    return this.membership.get(memberId);
  }

  /** The member that holds a static instance id. */
  staticMember(instanceId: string): Member | undefined {
    return this.membership.ofInstance(instanceId);
  }

  isPending(memberId: string): boolean {
    return this.membership.isPending(memberId);
  }

  /** True when a member with these strategies could be in the group. */
  accepts(protocolType: string, protocols: readonly MemberProtocol[], except?: Member): boolean {
    if (protocolType === '' || protocols.length === 0) return false;
    const others = this.members.filter(member => member !== except);
    if (this.current.state === 'Empty' || others.length === 0) return true;
    if (protocolType !== this.current.protocolType) return false;
    const common = commonProtocols(others);
    return protocols.some(({ name }) => common.has(name));
  }

  /** Whether a member may read the topic; a consumer that does not say what it reads may read everything. */
  readsTopic(topic: string): boolean {
    return this.members.some(
      ({ description }) =>
        subscribedTopics(description.protocols[0]?.metadata ?? Buffer.alloc(0))?.includes(topic) ?? true,
    );
  }

  /** The current generation as a JoinGroup answer for a member that is already in it. */
  currentJoin(member: Member): JoinResult {
    const isLeader = member.id === this.membership.leaderId;
    return {
      errorCode: errorCodes.none,
      memberId: member.id,
      generationId: this.current.generationId,
      protocolType: this.current.protocolType,
      protocolName: this.current.protocolName,
      leader: this.membership.leaderId ?? '',
      skipAssignment: false,
      members: isLeader ? this.members.map(other => this.#introduce(other)) : [],
    };
  }

  /** How long members have to come back: as long as the most patient of them says. */
  protected get rebalanceTimeoutMs(): number {
    return Math.max(0, ...this.members.map(member => member.description.rebalanceTimeoutMs));
  }

  isLeader(member: Member): boolean {
    return member.id === this.membership.leaderId;
  }

  currentSync(member: Member): SyncResult {
    return {
      errorCode: errorCodes.none,
      protocolType: this.current.protocolType,
      protocolName: this.current.protocolName,
      assignment: member.assignment,
    };
  }

  snapshot(): GroupSnapshot {
    return {
      generationId: this.current.generationId,
      protocolType: this.current.protocolType,
      protocolName: this.current.protocolName,
      leaderId: this.membership.leaderId,
      members: this.members.map(({ description, assignment }) => ({ description, assignment })),
    };
  }

  #introduce(member: Member): JoinResult['members'][number] {
    return {
      memberId: member.id,
      groupInstanceId: member.instanceId,
      metadata: member.metadataFor(this.current.protocolName),
    };
  }
}
