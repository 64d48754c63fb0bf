/** One assignment strategy a member supports, with what it tells the leader about itself. Opaque to the broker. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** What a JoinGroup request says about the member. */
export interface MemberDescription {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocols: readonly MemberProtocol[];
}

/** Answer to a JoinGroup request. */
export interface JoinResult {
  readonly errorCode: number;
  readonly memberId: string;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly skipAssignment: boolean;
  readonly members: readonly { memberId: string; groupInstanceId: string | null; metadata: Buffer }[];
}

/** Answer to a SyncGroup request. */
export interface SyncResult {
  readonly errorCode: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

const NOTHING = Buffer.alloc(0);

/** A consumer in a group, as the coordinator sees it. */
export class Member {
  readonly id: string;
  readonly instanceId: string | null;
  description: MemberDescription;
  assignment: Buffer = NOTHING;
  /** Set while the member waits for the rebalance to complete. */
  joinWaiter: ((result: JoinResult) => void) | null = null;
  /** Set while the member waits for the leader's assignment. */
  syncWaiter: ((result: SyncResult) => void) | null = null;
  /** True until the first rebalance of the member is complete. */
  isNew = true;
  /** True when the member has asked for its assignment in this generation. */
  hasSynced = false;
  /** Monotonic milliseconds at which the member is given up. */
  deadlineMs = 0;
  cancelSessionTimer: () => void = () => {};

  constructor(description: MemberDescription) {
    this.id = description.memberId;
    this.instanceId = description.instanceId;
    this.description = description;
  }

  get isStatic(): boolean {
    return this.instanceId !== null;
  }

  /** Same strategies with the same metadata: nothing that the leader would have to hear of. */
  matches(protocols: readonly MemberProtocol[]): boolean {
    const mine = this.description.protocols;
    return (
      mine.length === protocols.length &&
      mine.every((protocol, index) => {
        const other = protocols[index];
        return (
          other !== undefined && other.name === protocol.name && other.metadata.equals(protocol.metadata)
        );
      })
    );
  }

  metadataFor(protocolName: string | null): Buffer {
    return this.description.protocols.find(protocol => protocol.name === protocolName)?.metadata ?? NOTHING;
  }

  /** Answers the parked JoinGroup, if there is one. */
  answerJoin(result: JoinResult): void {
    const waiter = this.joinWaiter;
    this.joinWaiter = null;
    waiter?.(result);
  }

  /** Answers the parked SyncGroup, if there is one. */
  answerSync(result: SyncResult): void {
    const waiter = this.syncWaiter;
    this.syncWaiter = null;
    waiter?.(result);
  }
}

/**
 * Chooses the strategy of a generation: among those that every member supports, each member votes for its first
 * preference, and most votes win. Null when there is none.
 */
export function electProtocol(members: readonly Member[]): string | null {
  const candidates = commonProtocols(members);
  const votes = new Map<string, number>();
  for (const member of members) {
    const preferred = member.description.protocols.find(protocol => candidates.has(protocol.name));
    if (preferred) votes.set(preferred.name, (votes.get(preferred.name) ?? 0) + 1);
  }
  let elected: string | null = null;
  for (const [name, count] of votes) {
    if (elected === null || count > (votes.get(elected) ?? 0)) elected = name;
  }
  return elected;
}

/** Names of the strategies that every member supports. */
export function commonProtocols(members: readonly Member[]): Set<string> {
  const [first, ...others] = members.map(
    member => new Set(member.description.protocols.map(({ name }) => name)),
  );
  return new Set([...(first ?? [])].filter(name => others.every(names => names.has(name))));
}

/** A JoinGroup answer that only says no. */
export function joinRefusal(memberId: string, errorCode: number): JoinResult {
  return {
    errorCode,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    members: [],
  };
}

/** A SyncGroup answer that only says no. */
export function syncRefusal(errorCode: number): SyncResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: Buffer.alloc(0) };
}
