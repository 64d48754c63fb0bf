import { tsoFromMs } from '@tidemark/canal-json';

/**
 * Gives transactions their commitTs: a TSO made of the commit time, and always above the one before it, because two
 * transactions can commit in one millisecond and a server's clock can be set back. A transaction uses its number up
 * only when it has a change to send, so that what the server leaves out cannot shift the numbers of a repeat.
 */
export class CommitClock {
  #newest: bigint;

  /** @param newest the number given to the transaction at the checkpoint */
  constructor(newest: bigint) {
    this.#newest = newest;
  }

  get newest(): bigint {
    return this.#newest;
  }

  /** The number for a transaction that commits now; the same until it is used. */
  propose(commitMs: number): bigint {
    const atCommit = tsoFromMs(commitMs);
    return atCommit > this.#newest ? atCommit : this.#newest + 1n;
  }

  use(commitTs: bigint): void {
    this.#newest = commitTs;
  }
}
