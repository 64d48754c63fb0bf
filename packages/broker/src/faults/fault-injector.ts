import type { Api, RequestContext } from '../api/api.ts';
import type { Timers } from '../timers.ts';
import { type ErrorName, errorCodes } from '../wire/error-codes.ts';

/** What happens to a request that is intercepted. */
export type Fault =
  /** It is handled this much later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** It is neither handled nor answered; the connection stays. */
  | { readonly kind: 'drop' }
  /** It is not handled and its connection is closed. */
  | { readonly kind: 'close' }
  /** It is not handled, and answered with this error wherever its response has room for one. */
  | { readonly kind: 'error'; readonly error: ErrorName };

/** Which requests are intercepted. */
export interface FaultTarget {
  /** Name of the API as in the protocol guide, such as `OffsetCommit`. */
  readonly api: string;
  /** Only requests of this client id. */
  readonly clientId?: string;
  /** How many requests; 1 when left out. */
  readonly times?: number;
}

type MetFault = { readonly kind: 'drop' | 'close' } | { readonly kind: 'error'; readonly errorCode: number };

interface Trap {
  readonly target: FaultTarget;
  readonly fault: Fault;
  left: number;
}

/** How tests and drills make the broker misbehave on purpose. Requests that nobody aims at pay one comparison. */
export class FaultInjector {
  readonly #timers: Timers;
  #traps: Trap[] = [];
  #thawed: Promise<void> | undefined;
  #thaw: () => void = () => {};
  #refusesWrites = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get isIdle(): boolean {
    return this.#traps.length === 0 && this.#thawed === undefined;
  }

  /** True while every write to the disk is to fail as if it were full. */
  get refusesWrites(): boolean {
    return this.#refusesWrites;
  }

  /** Intercepts the next requests that match. The returned function calls it off. */
  intercept(target: FaultTarget, fault: Fault): () => void {
    const trap = { target, fault, left: target.times ?? 1 };
    this.#traps.push(trap);
    return () => this.#remove(trap);
  }

  /** Requests are read but not handled until `thaw`: a process that hangs. */
  freeze(): void {
    if (this.#thawed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#thawed = promise;
    this.#thaw = resolve;
  }

  thaw(): void {
    this.#thaw();
    this.#thawed = undefined;
  }

  /** Lets every write to the disk fail with ENOSPC until it is called with false. */
  refuseWrites(refuse: boolean): void {
    this.#refusesWrites = refuse;
  }

  /** Ends all faults. */
  clear(): void {
    this.#traps = [];
    this.#refusesWrites = false;
    this.thaw();
  }

  /** Called by the dispatcher for each request while any fault is set. */
  async meet(api: Api, context: RequestContext): Promise<MetFault | undefined> {
    while (this.#thawed) await this.#thawed;
    const trap = this.#traps.find(({ target }) => matches(target, api, context));
    if (!trap) return undefined;
    trap.left -= 1;
    if (trap.left <= 0) this.#remove(trap);
    const { fault } = trap;
    if (fault.kind === 'error') return { kind: 'error', errorCode: errorCodes[fault.error] };
    if (fault.kind !== 'delay') return { kind: fault.kind };
    await new Promise<void>(resolve => this.#timers.schedule(fault.delayMs, resolve));
    return undefined;
  }

  #remove(trap: Trap): void {
    this.#traps = this.#traps.filter(other => other !== trap);
  }
}

function matches(target: FaultTarget, api: Api, context: RequestContext): boolean {
  return target.api === api.name && (target.clientId === undefined || target.clientId === context.clientId);
}
