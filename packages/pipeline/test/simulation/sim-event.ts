import type { Decision, SourceRecord } from '@tidemark/pipeline';

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

export function encodeSimEvent(event: SimEvent, partition: number, offset: bigint): SourceRecord {
  const value = event.kind === 'garbage' ? `garbage ${event.id}` : JSON.stringify(event);
  return {
    topic: simTopic,
    partition,
    offset,
    timestampMs: 0,
    key: Buffer.from(event.key),
    value: Buffer.from(value),
    headers: [],
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
