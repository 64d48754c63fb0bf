import type { Batch } from './batch.ts';
import type { Item } from './item.ts';
import type { SourceRecord } from './record.ts';

/**
 * How it stands with a key one of whose events was dead-lettered. While it is parked its later events become dead
 * letters too, in log order, until all of them have been sent back or discarded. Offsets are those of the key's records
 * in their partition; -1 stands for none.
 */
export interface ParkedKey {
  readonly key: string;
  /** The newest event that failed by itself. */
  readonly failedAt: bigint;
  /** What is sent back passes if it belongs to a later pass than this one, in which a letter failed again. */
  readonly failedPass: bigint;
  /** The key's newest event among the dead letters. */
  readonly lastAt: bigint;
  /** Whoever deals with dead letters has sent back or discarded every one up to here. */
  readonly settledThrough: bigint;
  /** Number of the letter that was sent back last, and of the last that has come, whatever became of it then. */
  readonly sentSeq: bigint;
  readonly returnedSeq: bigint;
}

/** What a dead letter that was sent back carries. */
export interface ReplayMark {
  /** Which going through the letters it belongs to; each has a greater number than the one before. */
  readonly pass: bigint;
  /** Its own number; counts up as letters are sent. */
  readonly seq: bigint;
}

/** What one record did to its key. Applying a step twice is the same as once. */
export interface ParkingStep {
  readonly key: string;
  /** Offset of the record. */
  readonly at: bigint;
  /**
   * failed: dead-lettered for its own sake, which parks the key. held: dead-lettered because the key is parked. passed:
   * was sent back, and goes on.
   */
  readonly step: 'failed' | 'held' | 'passed';
  /** Present when the record was sent back. */
  readonly replay: ReplayMark | undefined;
}

/** How to tell a record's key, and whether it was sent back by this pipeline's dead letters. */
export interface ParkingRules {
  keyOf(record: SourceRecord): string | undefined;
  replayOf(record: SourceRecord): ReplayMark | undefined;
}

/** Nothing of the key is left among the dead letters, and everything that was sent back has come. */
export function isReleased(parked: ParkedKey): boolean {
  return parked.settledThrough >= parked.lastAt && parked.returnedSeq >= parked.sentSeq;
}

/** How the key stands after a step. */
export function applyStep(parked: ParkedKey | undefined, { key, at, step, replay }: ParkingStep): ParkedKey {
  const known = parked ?? {
    key,
    failedAt: at,
    failedPass: 0n,
    lastAt: at,
    settledThrough: -1n,
    sentSeq: 0n,
    returnedSeq: 0n,
  };
  const returned = { ...known, returnedSeq: later(known.returnedSeq, replay?.seq ?? 0n) };
  if (step === 'passed') return returned;
  const lettered = { ...returned, lastAt: later(known.lastAt, at) };
  if (step === 'held') return lettered;
  return { ...lettered, failedAt: at, failedPass: later(known.failedPass, replay?.pass ?? 0n) };
}

export interface ParkingPlan<E> {
  /** The batch with what has to be held back marked as rejected. */
  readonly batch: Batch<E>;
  readonly steps: readonly ParkingStep[];
}

/** Decides item by item, in log order, what passes and what is held back. Pure: same batch and keys, same plan. */
export function planParking<E>(
  batch: Batch<E>,
  parked: ReadonlyMap<string, ParkedKey>,
  rules: ParkingRules,
  nowMs: number,
): ParkingPlan<E> {
  const keys = new Map(parked);
  const steps: ParkingStep[] = [];
  const take = (taken: ParkingStep) => {
    const after = applyStep(keys.get(taken.key), taken);
    steps.push(taken);
    if (isReleased(after)) keys.delete(taken.key);
    else keys.set(taken.key, after);
  };
  const items = batch.items.map((item): Item<E> => {
    const key = rules.keyOf(item.record);
    if (key === undefined) return item;
    const known = keys.get(key);
    const replay = rules.replayOf(item.record);
    const step = stepOf(item, known, replay);
    if (step === undefined) return item;
    take({ key, at: item.record.offset, step, replay });
    return step === 'held' && known !== undefined && item.fate === 'deliver'
      ? hold(item, known, nowMs)
      : item;
  });
  return { batch: { ...batch, items }, steps };
}

/** What an item does to its key; undefined when nothing. */
function stepOf<E>(
  { fate }: Item<E>,
  parked: ParkedKey | undefined,
  replay: ReplayMark | undefined,
): ParkingStep['step'] | undefined {
  const mayPass = parked !== undefined && replay !== undefined && replay.pass > parked.failedPass;
  if (fate === 'dead-lettered' || fate === 'rejected') return 'failed';
  if (parked === undefined) return undefined;
  if (mayPass) return 'passed';
  if (fate === 'filtered') return replay === undefined ? undefined : 'passed';
  return 'held';
}

function hold<E>({ record }: Item<E>, { failedAt }: ParkedKey, nowMs: number): Item<E> {
  const rejection = {
    reason: 'parked',
    errorClass: 'parked',
    message: `held back behind offset ${failedAt} of the same key, which was dead-lettered`,
    attempts: 0,
    firstFailedAtMs: nowMs,
    lastFailedAtMs: nowMs,
  } as const;
  return { record, fate: 'rejected', rejection };
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
