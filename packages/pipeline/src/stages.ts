import type { Decision, Decoder } from './item.ts';
import type { SourceRecord } from './record.ts';

/**
 * What may happen to an event between its codec and its sink, in this order. All are pure; what they throw is the
 * record's fault, as with a codec.
 */
export type Stages<E, In> = {
  /** What the business forbids about the event, in words; undefined when nothing. A fault dead-letters it at once. */
  readonly validate?: (event: In) => string | undefined;
  /** False for an event that has no effect on purpose; it is counted as filtered. */
  readonly filter?: (event: In, record: SourceRecord) => boolean;
} & ([In] extends [E] ? { readonly transform?: Transform<E, In> } : { readonly transform: Transform<E, In> });

/** Makes of the event what the sink takes. */
export type Transform<E, In> = (event: In, record: SourceRecord) => E;

/** A decoder with the stages behind it. */
export function staged<E, In>(decode: Decoder<In>, stages: Stages<E, In>): Decoder<E> {
  const { validate, filter } = stages;
  const transform: Transform<E, In> = stages.transform ?? (event => event as unknown as E);
  if (!validate && !filter && !stages.transform) return decode as unknown as Decoder<E>;
  return record => {
    const decided = decode(record);
    if (decided.fate !== 'deliver') return decided;
    const { event } = decided;
    const fault = validate?.(event);
    if (fault !== undefined) return { fate: 'rejected', reason: 'business_rule', message: fault };
    if (filter && !filter(event, record)) return { fate: 'filtered' };
    return transformed(() => transform(event, record));
  };
}

function transformed<E>(transform: () => E): Decision<E> {
  try {
    return { fate: 'deliver', event: transform() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { fate: 'rejected', reason: 'invalid', message };
  }
}
