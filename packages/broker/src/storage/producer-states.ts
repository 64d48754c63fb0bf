import { errorCodes } from '../wire/error-codes.ts';
import { type BatchHeader, isControl, isTransactional } from './record-batch.ts';

/** How many batches per producer are recognised when they come again; clients keep at most five in flight. */
const REMEMBERED_BATCHES = 5;
/** Sequence numbers count from 0 to 2^31 − 1 and start again. */
const SEQUENCES = 2 ** 31;

interface RememberedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
}

/** What a partition knows of one producer. Values are replaced, never changed, so that an undo is an assignment. */
export interface ProducerState {
  readonly epoch: number;
  readonly batches: readonly RememberedBatch[];
  /** First offset of the transaction that is open in this partition. */
  readonly txnFirstOffset: number | null;
  readonly lastTimestamp: number;
}

/** A transaction that was aborted: its records lie between the offsets, the last being the marker. */
export interface AbortedTxn {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** What to do with a batch that a producer sent. */
export type SequenceVerdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number }
  | { readonly kind: 'refuse'; readonly errorCode: number };

const APPEND: SequenceVerdict = { kind: 'append' };
const refuse = (errorCode: number): SequenceVerdict => ({ kind: 'refuse', errorCode });

function lastSequenceOf(header: BatchHeader): number {
  return (header.baseSequence + header.lastOffset - header.baseOffset) % SEQUENCES;
}

/**
 * Producers of one partition: duplicates, gaps and fencing (KIP-98), open and aborted transactions. The state runs
 * ahead of the disk by the batches that are being written; `apply` returns how to undo one of them.
 */
export class ProducerStates {
  #states = new Map<number, ProducerState>();
  #aborted: AbortedTxn[] = [];

  get(producerId: number): ProducerState | undefined {
    return this.#states.get(producerId);
  }

  entries(): IterableIterator<[number, ProducerState]> {
    return this.#states.entries();
  }

  /** Checks an idempotent batch as it came from the client; its offsets are still relative. */
  check(header: BatchHeader): SequenceVerdict {
    const state = this.#states.get(header.producerId);
    if (!state) return APPEND; // expired or unknown: any sequence is a beginning
    if (header.producerEpoch < state.epoch) return refuse(errorCodes.invalidProducerEpoch);
    if (header.producerEpoch > state.epoch) {
      return header.baseSequence === 0 ? APPEND : refuse(errorCodes.outOfOrderSequenceNumber);
    }
    const lastSequence = lastSequenceOf(header);
    const known = state.batches.find(
      batch => batch.firstSequence === header.baseSequence && batch.lastSequence === lastSequence,
    );
    if (known) return { kind: 'duplicate', baseOffset: known.baseOffset };
    if (state.txnFirstOffset !== null && !isTransactional(header.attributes))
      return refuse(errorCodes.invalidTxnState);
    const newest = state.batches.at(-1);
    const expected = newest ? (newest.lastSequence + 1) % SEQUENCES : 0; // only a marker was seen of this epoch
    return header.baseSequence === expected ? APPEND : refuse(errorCodes.outOfOrderSequenceNumber);
  }

  /** Takes note of a batch with its final offsets. Returns the undo; call undos newest first. */
  apply(header: BatchHeader, marker?: { readonly commit: boolean }): () => void {
    const before = this.#states.get(header.producerId);
    const abortedBefore = this.#aborted.length;
    this.#states.set(
      header.producerId,
      marker ? this.#ended(header, before, marker) : continued(header, before),
    );
    return () => {
      if (before) this.#states.set(header.producerId, before);
      else this.#states.delete(header.producerId);
      this.#aborted.length = abortedBefore;
    };
  }

  /** First offset of the oldest open transaction, or undefined when none is open. */
  firstOpenOffset(): number | undefined {
    let first: number | undefined;
    for (const { txnFirstOffset } of this.#states.values()) {
      if (txnFirstOffset !== null && (first === undefined || txnFirstOffset < first)) first = txnFirstOffset;
    }
    return first;
  }

  /** Aborted transactions that touch [from, to), sorted by their first offset as clients require. */
  abortedBetween(from: number, to: number): AbortedTxn[] {
    return this.#aborted
      .filter(txn => txn.lastOffset >= from && txn.firstOffset < to)
      .toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Drops what lies below the log start and producers that were silent since `idleBefore` (milliseconds). */
  prune(logStartOffset: number, idleBefore: number): void {
    this.#aborted = this.#aborted.filter(txn => txn.lastOffset >= logStartOffset);
    for (const [producerId, state] of this.#states) {
      if (state.txnFirstOffset === null && state.lastTimestamp < idleBefore) this.#states.delete(producerId);
    }
  }

  /** JSON for the snapshot file. */
  dump(): unknown {
    return { producers: [...this.#states], aborted: this.#aborted };
  }

  load(dump: unknown): void {
    const { producers, aborted } = dump as { producers: [number, ProducerState][]; aborted: AbortedTxn[] };
    this.#states = new Map(producers);
    this.#aborted = aborted;
  }

  #ended(
    header: BatchHeader,
    before: ProducerState | undefined,
    marker: { readonly commit: boolean },
  ): ProducerState {
    const txnFirstOffset = before?.txnFirstOffset ?? null;
    if (txnFirstOffset !== null && !marker.commit) {
      const { producerId } = header;
      this.#aborted.push({ producerId, firstOffset: txnFirstOffset, lastOffset: header.lastOffset });
    }
    const sameEpoch = before?.epoch === header.producerEpoch;
    return {
      epoch: header.producerEpoch,
      batches: sameEpoch ? before.batches : [],
      txnFirstOffset: null,
      lastTimestamp: header.maxTimestamp,
    };
  }
}

function continued(header: BatchHeader, before: ProducerState | undefined): ProducerState {
  const kept = before?.epoch === header.producerEpoch ? before.batches : [];
  const batch = {
    firstSequence: header.baseSequence,
    lastSequence: lastSequenceOf(header),
    baseOffset: header.baseOffset,
  };
  const open = before?.txnFirstOffset ?? null;
  return {
    epoch: header.producerEpoch,
    batches: [...kept, batch].slice(-REMEMBERED_BATCHES),
    txnFirstOffset: isTransactional(header.attributes) ? (open ?? header.baseOffset) : open,
    lastTimestamp: header.maxTimestamp,
  };
}

/** True for batches that change producer state: idempotent, transactional, and markers. */
export function concernsProducer(header: BatchHeader): boolean {
  return header.producerId >= 0 && (header.baseSequence >= 0 || isControl(header.attributes));
}
