import type { BrokerCore } from '../broker-core.ts';
import { errorCodes, ProtocolError } from '../wire/error-codes.ts';
import { array, boolean, int16, int32, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * CreatePartitions (key 37), versions 0–3, flexible from 2.
 *
 *   Request =>
 *     topics => ARRAY
 *       name => STRING
 *       count => INT32
 *       assignments => ARRAY
 *         broker_ids => [INT32]
 *     timeout_ms => INT32
 *     validate_only => BOOL
 *   Response =>
 *     throttle_time_ms => INT32
 *     results => ARRAY
 *       name => STRING
 *       error_code => INT16
 *       error_message => NULLABLE_STRING
 */
export const createPartitions = defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleSince: 2,
  request: {
    topics: array({
      name: string(),
      count: int32(),
      assignments: array(
        {
          brokerIds: list(int32()),
        },
        { nullable: 0 },
      ),
    }),
    timeoutMs: int32(),
    validateOnly: boolean(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: 0, default: null }),
    }),
  },
  async handle(request, { broker }) {
    const results: GrownTopic[] = [];
    for (const wanted of request.topics) results.push(await grow(broker, wanted, request.validateOnly));
    return { results };
  },
  refuse: (request, errorCode) => ({ results: request.topics.map(({ name }) => ({ name, errorCode })) }),
});

interface WantedGrowth {
  readonly name: string;
  readonly count: number;
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null;
}

interface GrownTopic {
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage?: string | null;
}

async function grow(broker: BrokerCore, wanted: WantedGrowth, validateOnly: boolean): Promise<GrownTopic> {
  const { name, count, assignments } = wanted;
  try {
    const topic = broker.topics.get(name);
    if (!topic) throw new ProtocolError('unknownTopicOrPartition');
    const present = topic.partitions.length;
    if (count <= present) {
      throw new ProtocolError(
        'invalidPartitions',
        `The topic currently has ${present} partitions, ${count} is not more.`,
      );
    }
    checkAssignments(assignments, count - present, broker.node.id);
    if (!validateOnly) await broker.topics.grow(topic, count);
    return { name, errorCode: errorCodes.none };
  } catch (error) {
    return {
      name,
      errorCode: broker.codeOf(error),
      errorMessage: error instanceof ProtocolError ? error.message : null,
    };
  }
}

function checkAssignments(assignments: WantedGrowth['assignments'], added: number, nodeId: number): void {
  if (assignments === null) return;
  const isHere = assignments.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === nodeId);
  if (assignments.length !== added || !isHere) {
    throw new ProtocolError('invalidReplicaAssignment', `every new partition must be on node ${nodeId}`);
  }
}
