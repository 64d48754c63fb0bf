import type { Timers } from '../timers.ts';
import type { Member } from './member.ts';

/** Who is in a group: members, the static ones by their instance, the leader, and ids that were only handed out. */
export class Membership {
  readonly #timers: Timers;
  readonly #members = new Map<string, Member>();
  readonly #idsByInstance = new Map<string, string>();
  /** How to forget each pending id. */
  readonly #pending = new Map<string, () => void>();
  leaderId: string | null = null;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#members.size;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  all(): Member[] {
    return [...this.#members.values()];
  }

  get(memberId: string): Member | undefined {
    return this.#members.get(memberId);
  }

  /** The member that holds a static instance id. */
  ofInstance(instanceId: string): Member | undefined {
    return this.#members.get(this.#idsByInstance.get(instanceId) ?? '');
  }

  get leader(): Member | undefined {
    return this.#members.get(this.leaderId ?? '');
  }

  add(member: Member): void {
    this.removePending(member.id);
    this.#members.set(member.id, member);
    if (member.instanceId !== null) this.#idsByInstance.set(member.instanceId, member.id);
    this.leaderId ??= member.id;
  }

  /** Takes the member out; when it led, the oldest of the others leads. */
  drop(member: Member): void {
    member.cancelSessionTimer();
    this.#members.delete(member.id);
    if (member.instanceId !== null && this.#idsByInstance.get(member.instanceId) === member.id) {
      this.#idsByInstance.delete(member.instanceId);
    }
    if (this.leaderId === member.id) this.leaderId = this.#members.keys().next().value ?? null;
  }

  isPending(memberId: string): boolean {
    return this.#pending.has(memberId);
  }

  /** Reserves an id for a client that must come back with it (KIP-394); `expired` is called when it does not. */
  addPending(memberId: string, lifetimeMs: number, expired: () => void): void {
    this.#pending.set(memberId, this.#timers.schedule(lifetimeMs, expired));
  }

  /** False when the id was not pending. */
  removePending(memberId: string): boolean {
    this.#pending.get(memberId)?.();
    return this.#pending.delete(memberId);
  }

  close(): void {
    for (const cancel of this.#pending.values()) cancel();
    this.#pending.clear();
    for (const member of this.#members.values()) member.cancelSessionTimer();
  }
}
