import type { GroupRegistry } from '../groups/group-registry.ts';
import type { Journal, JournalEntry } from '../storage/journal.ts';
import type { Timers } from '../timers.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import { ProtocolError } from '../wire/error-codes.ts';
import type { ProducerIds } from './producer-ids.ts';
import {
  includesPartition,
  isPrepared,
  isRepeated,
  openPartitions,
  type Transaction,
  type TransactionEntry,
  type TxnPartition,
} from './transaction.ts';

/** The last epoch is kept for fencing; then the id changes. */
const EPOCH_MAX = 32_766;
/** When markers could not be written, for instance on a full disk, they are tried again after this long. */
const MARKER_RETRY_MS = 1000;

export interface TransactionEnvironment {
  readonly journal: Pick<Journal, 'append'>;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly producerIds: ProducerIds;
  readonly timers: Timers;
  /** Wall clock, milliseconds. */
  readonly nowMs: () => number;
  readonly timeoutMsMax: number;
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
}

/** Names a producer as it names itself in a request. */
export interface ProducerClaim {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

/**
 * Transactions across partitions and groups (KIP-98, without the second part of KIP-890). A decision is journaled
 * before its markers are written and replayed after a crash, so a transaction is whole or absent.
 */
export class TransactionCoordinator {
  readonly #env: TransactionEnvironment;
  readonly #transactions = new Map<string, Transaction>();
  readonly #idsByProducer = new Map<number, string>();
  /** Transactional ids whose state is being changed; others have to come again. */
  readonly #busy = new Set<string>();
  readonly #cancelTimers = new Map<string, () => void>();
  #closed = false;

  constructor(env: TransactionEnvironment) {
    this.#env = env;
  }

  all(): readonly Transaction[] {
    return [...this.#transactions.values()];
  }

  get(transactionalId: string): Transaction | undefined {
    return this.#transactions.get(transactionalId);
  }

  /**
   * True when the partition was added to the producer's open transaction. Throws for a producer that was succeeded:
   * the partition may not have heard of its successor yet, and would take the record into the successor's transaction.
   */
  includes(producer: Omit<ProducerClaim, 'transactionalId'>, topic: string, index: number): boolean {
    const txn = this.#transactions.get(this.#idsByProducer.get(producer.producerId) ?? '');
    if (txn && producer.producerEpoch < txn.producerEpoch) throw new ProtocolError('invalidProducerEpoch');
    return txn?.status === 'Ongoing' && includesPartition(txn, topic, index);
  }

  /**
   * Gives the producer of a transactional id its identity, and fences every older one. What the older one left open
   * is aborted first.
   */
  init(request: ProducerClaim & { readonly transactionTimeoutMs: number }): Promise<Transaction> {
    const { transactionalId, transactionTimeoutMs: timeoutMs } = request;
    if (transactionalId === '') throw new ProtocolError('invalidRequest');
    if (timeoutMs <= 0 || timeoutMs > this.#env.timeoutMsMax)
      throw new ProtocolError('invalidTransactionTimeout');
    return this.#exclusively(transactionalId, async () => {
      const known = this.#transactions.get(transactionalId);
      if (!known) return this.#introduce(transactionalId, timeoutMs);
      const claimsIdentity = request.producerId !== -1;
      const isCurrent =
        request.producerId === known.producerId && request.producerEpoch === known.producerEpoch;
      if (claimsIdentity && !isCurrent) {
        if (isRepeated(request, known)) return known;
        throw new ProtocolError('producerFenced');
      }
      const settled = known.status === 'Ongoing' ? await this.#abort(known) : known;
      const next = await this.#withNextEpoch({ ...settled, timeoutMs, status: 'Empty' });
      return this.#store({ ...next, lastProducerEpoch: request.producerEpoch });
    });
  }

  addPartitions(claim: ProducerClaim, partitions: readonly TxnPartition[]): Promise<void> {
    return this.#exclusively(claim.transactionalId, async () => {
      const txn = this.#claimed(claim);
      const added = partitions.filter(({ topic, index }) => !includesPartition(txn, topic, index));
      if (added.length > 0) await this.#extend(txn, { partitions: [...openPartitions(txn), ...added] });
    });
  }

  addGroup(claim: ProducerClaim, groupId: string): Promise<void> {
    return this.#exclusively(claim.transactionalId, async () => {
      const txn = this.#claimed(claim);
      if (txn.status === 'Ongoing' && txn.groups.includes(groupId)) return;
      await this.#extend(txn, { groups: [...(txn.status === 'Ongoing' ? txn.groups : []), groupId] });
    });
  }

  /** Throws unless the producer may commit offsets of the group in its open transaction. */
  checkOffsets(claim: ProducerClaim, groupId: string): void {
    const txn = this.#claimed(claim);
    if (txn.status !== 'Ongoing' || !txn.groups.includes(groupId)) throw new ProtocolError('invalidTxnState');
  }

  /** Commits or aborts. Answers when the decision is durable and the markers are written or due to be retried. */
  end(claim: ProducerClaim, commit: boolean): Promise<void> {
    return this.#exclusively(claim.transactionalId, async () => {
      const txn = this.#claimed(claim);
      const already = commit ? 'CompleteCommit' : 'CompleteAbort';
      if (txn.status === already) return;
      if (txn.status !== 'Ongoing') throw new ProtocolError('invalidTxnState');
      await this.#finish(await this.#store({ ...txn, status: commit ? 'PrepareCommit' : 'PrepareAbort' }));
    });
  }

  /** Forgets transactional ids that were not used for the given time. */
  async expire(idleMs: number): Promise<void> {
    const before = this.#env.nowMs() - idleMs;
    for (const txn of this.#transactions.values()) {
      if (txn.status === 'Ongoing' || isPrepared(txn) || txn.changedAtMs >= before) continue;
      this.#forget(txn);
      await this.#env.journal.append([{ kind: 'transaction-deleted', transactionalId: txn.transactionalId }]);
    }
  }

  replay(entry: JournalEntry): boolean {
    if (entry.kind === 'transaction') this.#remember((entry as TransactionEntry).transaction);
    else if (entry.kind === 'transaction-deleted') {
      const known = this.#transactions.get(entry['transactionalId'] as string);
      if (known) this.#forget(known);
    } else return false;
    return true;
  }

  dump(): JournalEntry[] {
    return this.all().map(transaction => ({ kind: 'transaction', transaction }));
  }

  /** After a crash: writes the markers of what was decided, and lets the clock run for what was not. */
  async recover(): Promise<void> {
    for (const txn of this.all()) {
      if (isPrepared(txn)) await this.#finish(txn);
      else if (txn.status === 'Ongoing') this.#armTimeout(txn);
    }
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#cancelTimers.values()) cancel();
    this.#cancelTimers.clear();
  }

  async #exclusively<T>(transactionalId: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(transactionalId)) throw new ProtocolError('concurrentTransactions');
    const known = this.#transactions.get(transactionalId);
    if (known && isPrepared(known)) throw new ProtocolError('concurrentTransactions');
    this.#busy.add(transactionalId);
    try {
      return await work();
    } finally {
      this.#busy.delete(transactionalId);
    }
  }

  #claimed(claim: ProducerClaim): Transaction {
    const txn = this.#transactions.get(claim.transactionalId);
    if (!txn || txn.producerId !== claim.producerId) throw new ProtocolError('invalidProducerIdMapping');
    if (txn.producerEpoch !== claim.producerEpoch) throw new ProtocolError('producerFenced');
    return txn;
  }

  async #introduce(transactionalId: string, timeoutMs: number): Promise<Transaction> {
    const producerId = await this.#env.producerIds.next();
    const nowMs = this.#env.nowMs();
    return this.#store({
      transactionalId,
      producerId,
      producerEpoch: 0,
      timeoutMs,
      status: 'Empty',
      partitions: [],
      groups: [],
      startedAtMs: nowMs,
      changedAtMs: nowMs,
    });
  }

  async #withNextEpoch(txn: Transaction): Promise<Transaction> {
    if (txn.producerEpoch < EPOCH_MAX) return { ...txn, producerEpoch: txn.producerEpoch + 1 };
    return { ...txn, producerId: await this.#env.producerIds.next(), producerEpoch: 0 };
  }

  async #extend(txn: Transaction, more: Partial<Pick<Transaction, 'partitions' | 'groups'>>): Promise<void> {
    const isOpen = txn.status === 'Ongoing';
    const begun = isOpen ? txn : { ...txn, partitions: [], groups: [], startedAtMs: this.#env.nowMs() };
    const extended = await this.#store({ ...begun, ...more, status: 'Ongoing' });
    if (!isOpen) this.#armTimeout(extended);
  }

  /** Fences the producer with a higher epoch and aborts what it left open. */
  async #abort(txn: Transaction): Promise<Transaction> {
    const fenced = { ...txn, producerEpoch: Math.min(txn.producerEpoch + 1, EPOCH_MAX + 1) };
    await this.#finish(await this.#store({ ...fenced, status: 'PrepareAbort' }));
    const settled = this.#transactions.get(txn.transactionalId);
    if (!settled || isPrepared(settled)) throw new ProtocolError('concurrentTransactions');
    return settled;
  }

  /** Writes the markers and applies the offsets of a decided transaction; tries again later when the disk refuses. */
  async #finish(txn: Transaction): Promise<void> {
    this.#cancelTimers.get(txn.transactionalId)?.();
    this.#cancelTimers.delete(txn.transactionalId);
    try {
      await this.#carryOut(txn);
      const status = txn.status === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort';
      await this.#store({ ...txn, status, partitions: [], groups: [] });
    } catch (error) {
      this.#env.warn('transaction markers could not be written; trying again', {
        id: txn.transactionalId,
        error,
      });
      this.#schedule(txn.transactionalId, MARKER_RETRY_MS, () => this.#finish(txn));
    }
  }

  async #carryOut(txn: Transaction): Promise<void> {
    const commit = txn.status === 'PrepareCommit';
    await Promise.all(
      txn.partitions.map(async ({ topic: name, index }) => {
        const topic = this.#env.topics.get(name);
        const options = topic && { nowMs: this.#env.nowMs(), settings: topic.settings };
        if (options) await topic.partitions[index]?.appendMarker(txn, commit, options);
      }),
    );
    for (const groupId of txn.groups) await this.#env.groups.endTransaction(groupId, txn.producerId, commit);
  }

  #armTimeout(txn: Transaction): void {
    const leftMs = Math.max(0, txn.startedAtMs + txn.timeoutMs - this.#env.nowMs());
    this.#schedule(txn.transactionalId, leftMs, () => this.#timeOut(txn.transactionalId));
  }

  async #timeOut(transactionalId: string): Promise<void> {
    const txn = this.#transactions.get(transactionalId);
    if (txn?.status !== 'Ongoing') return;
    if (this.#busy.has(transactionalId)) {
      this.#schedule(transactionalId, MARKER_RETRY_MS, () => this.#timeOut(transactionalId));
      return;
    }
    await this.#exclusively(transactionalId, () => this.#abort(txn));
  }

  #schedule(transactionalId: string, delayMs: number, run: () => Promise<unknown>): void {
    if (this.#closed) return;
    this.#cancelTimers.get(transactionalId)?.();
    const cancel = this.#env.timers.schedule(delayMs, () => {
      run().catch((error: unknown) =>
        this.#env.warn('a transaction could not be ended', { transactionalId, error }),
      );
    });
    this.#cancelTimers.set(transactionalId, cancel);
  }

  async #store(changed: Transaction): Promise<Transaction> {
    const transaction = { ...changed, changedAtMs: this.#env.nowMs() };
    await this.#env.journal.append([{ kind: 'transaction', transaction }]);
    this.#remember(transaction);
    return transaction;
  }

  #remember(txn: Transaction): void {
    const before = this.#transactions.get(txn.transactionalId);
    if (before && before.producerId !== txn.producerId) this.#idsByProducer.delete(before.producerId);
    this.#transactions.set(txn.transactionalId, txn);
    this.#idsByProducer.set(txn.producerId, txn.transactionalId);
  }

  #forget(txn: Transaction): void {
    this.#transactions.delete(txn.transactionalId);
    this.#idsByProducer.delete(txn.producerId);
  }
}
