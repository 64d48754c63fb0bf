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
  handle(request, { broker }) {},
  refuse: (request, errorCode) => ({}),
});
