import { WireError } from '../wire/wire-error.ts';
import { WireReader } from '../wire/wire-reader.ts';

/** Members of groups of this type say what they read in a form that all Kafka clients share. */
export const CONSUMER = 'consumer';

/**
 * The topics in what a consumer tells its group (ConsumerProtocolSubscription: version INT16, topics ARRAY of STRING, and
 * more that does not matter here). Null when it says something else.
 */
export function subscribedTopics(metadata: Buffer): readonly string[] | null {
  try {
    const reader = new WireReader(metadata);
    reader.int16();
    return Array.from(
      { length: reader.arrayLength(reader.int32()) },
      () => reader.text(reader.int16()) ?? '',
    );
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
