import { type Decision, headerText, type ParkingRules, type SourceRecord } from '@tidemark/pipeline';

/**
 * good: takes effect. garbage: cannot be decoded. noise: filtered. refused: the sink refuses it for good. cursed: every
 * delivery fails in a way that might pass, but never does.
 */
export type SimKind = 'good' | 'garbage' | 'noise' | 'refused' | 'cursed';

export interface SimEvent {
  readonly id: number;
  readonly key: string;
  readonly kind: SimKind;
}

export const simTopic = 'sim';
const replayHeader = 'replay-of';

/** The event's first offset, the pass, and its number. */
export type SimReplay = readonly [origin: bigint, pass: bigint, seq: bigint];

/** @param replay what the dead letter carries that comes back */
export function encodeSimEvent(
  event: SimEvent,
  partition: number,
  offset: bigint,
  replay?: SimReplay,
): SourceRecord {
  const value = event.kind === 'garbage' ? `garbage ${event.id}` : JSON.stringify(event);
  return {
    topic: simTopic,
    partition,
    offset,
    timestampMs: 0,
    key: Buffer.from(event.key),
    value: Buffer.from(value),
    headers: replay ? [[Buffer.from(replayHeader), Buffer.from(replay.join('/'))]] : [],
  };
}

export function decodeSimEvent(record: SourceRecord): Decision<SimEvent> {
  const event = JSON.parse(record.value?.toString() ?? '') as SimEvent;
  return event.kind === 'noise' ? { fate: 'filtered' } : { fate: 'deliver', event };
}

/** What must become of an event that is seen for the first time. */
export function expectedFate(kind: SimKind): 'effect' | 'filtered' | 'dead letter' {
  if (kind === 'good') return 'effect';
  return kind === 'noise' ? 'filtered' : 'dead letter';
}

/** The event in a record, whatever its codec thinks of it. */
export function simEventOf({ key, value }: SourceRecord): SimEvent {
  const text = value?.toString() ?? '';
  const [garbage, id] = text.split(' ');
  if (garbage === 'garbage') return { id: Number(id), key: String(key), kind: 'garbage' };
  return JSON.parse(text) as SimEvent;
}

export function simReplayOf(record: SourceRecord): SimReplay | undefined {
  const [origin, pass, seq] = headerText(record, replayHeader)?.split('/').map(BigInt) ?? [];
  return origin === undefined || pass === undefined || seq === undefined ? undefined : [origin, pass, seq];
}

export const simParkingRules: ParkingRules = {
  keyOf: record => String(record.key),
  replayOf: record => {
    const [, pass, seq] = simReplayOf(record) ?? [];
    return pass === undefined || seq === undefined ? undefined : { pass, seq };
  },
};
