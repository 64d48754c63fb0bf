import type { BrokerCore } from '../broker-core.ts';
import { errorCodes, ProtocolError } from '../wire/error-codes.ts';
import { array, int16, int32, list, string, uuid } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * DeleteTopics (key 20), versions 1–6, flexible from 4.
 *
 *   Request =>
 *     topics => ARRAY (v6+)
 *       name => NULLABLE_STRING
 *       topic_id => UUID
 *     topic_names => [STRING] (to v5)
 *     timeout_ms => INT32
 *   Response =>
 *     throttle_time_ms => INT32
 *     responses => ARRAY
 *       name => NULLABLE_STRING
 *       topic_id => UUID (v6+)
 *       error_code => INT16
 *       error_message => NULLABLE_STRING (v5+)
 */
export const deleteTopics = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleSince: 4,
  request: {
    topics: array(
      {
        name: string({ nullable: 6, default: null }),
        topicId: uuid(),
      },
      { since: 6 },
    ),
    topicNames: list(string(), { until: 5 }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    responses: array({
      name: string({ nullable: 6 }),
      topicId: uuid({ since: 6 }),
      errorCode: int16(),
      errorMessage: string({ since: 5, nullable: 5, default: null }),
    }),
  },
  async handle(request, { broker, version }) {
    const byId = version >= TOPIC_IDS_SINCE;
    const wanted = byId ? request.topics : request.topicNames.map(name => ({ name, topicId: NO_ID }));
    const responses: DeletedTopic[] = [];
    for (const topic of wanted) responses.push(await remove(topic, broker));
    return { responses };
  },
  refuse: (request, errorCode) => ({
    responses: [
      ...request.topics.map(({ name, topicId }) => ({ name, topicId, errorCode })),
      ...request.topicNames.map(name => ({ name, topicId: NO_ID, errorCode })),
    ],
  }),
});

/** From this version on a topic is named by its name or by its id (KIP-516). */
const TOPIC_IDS_SINCE = 6;
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

interface DeletedTopic {
  readonly name: string | null;
  readonly topicId: string;
  readonly errorCode: number;
}

async function remove(
  { name, topicId }: { readonly name: string | null; readonly topicId: string },
  broker: BrokerCore,
): Promise<DeletedTopic> {
  try {
    const topic = name === null ? broker.topics.getById(topicId) : broker.topics.get(name);
    if (!topic) throw new ProtocolError(name === null ? 'unknownTopicId' : 'unknownTopicOrPartition');
    await broker.topics.delete(topic, () => broker.groups.registry.topicDeleted(topic.name));
    return { name: topic.name, topicId: topic.id, errorCode: errorCodes.none };
  } catch (error) {
    return { name, topicId, errorCode: broker.codeOf(error) };
  }
}
