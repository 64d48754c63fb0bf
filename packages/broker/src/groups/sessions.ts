import type { Timers } from '../timers.ts';
import type { Member } from './member.ts';

/** A member that waits in its first rebalance is given up after this long, whatever its session timeout. */
const NEW_MEMBER_JOIN_MS = 5 * 60_000;

/** Watches for signs of life. A heartbeat costs no timer: one that fires too early looks at the deadline and goes on. */
export class Sessions {
  readonly #timers: Timers;
  readonly #monotonicMs: () => number;
  readonly #expired: (member: Member) => void;

  constructor(timers: Timers, monotonicMs: () => number, expired: (member: Member) => void) {
    this.#timers = timers;
    this.#monotonicMs = monotonicMs;
    this.#expired = expired;
  }

  /** A sign of life: the session starts again. */
  touch(member: Member): void {
    this.#extend(member, member.description.sessionTimeoutMs);
  }

  /** The member waits for a rebalance. */
  parked(member: Member): void {
    if (member.isNew) this.#extend(member, NEW_MEMBER_JOIN_MS);
    else this.touch(member);
  }

  #extend(member: Member, delayMs: number): void {
    const before = member.deadlineMs;
    member.deadlineMs = this.#monotonicMs() + delayMs;
    if (before === 0 || member.deadlineMs < before) this.#arm(member, delayMs);
  }

  #arm(member: Member, delayMs: number): void {
    member.cancelSessionTimer();
    member.cancelSessionTimer = this.#timers.schedule(delayMs, () => {
      const leftMs = member.deadlineMs - this.#monotonicMs();
      const isParked = (member.joinWaiter !== null && !member.isNew) || member.syncWaiter !== null;
      if (isParked) this.#arm(member, member.description.sessionTimeoutMs);
      else if (leftMs > 0) this.#arm(member, leftMs);
      else this.#expired(member);
    });
  }
}
