import { type AlteredResource, alterResource, applyOperations } from '../topics/config-change.ts';
import { array, boolean, int8, int16, int32, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * IncrementalAlterConfigs (key 44), versions 0–1, flexible from 1.
 *
 *   Request =>
 *     resources => ARRAY
 *       resource_type => INT8
 *       resource_name => STRING
 *       configs => ARRAY
 *         name => STRING
 *         config_operation => INT8
 *         value => NULLABLE_STRING
 *     validate_only => BOOL
 *   Response =>
 *     throttle_time_ms => INT32
 *     responses => ARRAY
 *       error_code => INT16
 *       error_message => NULLABLE_STRING
 *       resource_type => INT8
 *       resource_name => STRING
 */
export const incrementalAlterConfigs = defineApi({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        configOperation: int8(),
        value: string({ nullable: 0 }),
      }),
    }),
    validateOnly: boolean(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    responses: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0, default: null }),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
  async handle(request, { broker }) {
    const responses: AlteredResource[] = [];
    for (const resource of request.resources) {
      const change = (current: ReadonlyMap<string, string>) =>
        applyOperations(current, resource.configs, broker.settings.topicDefaults);
      responses.push(await alterResource(broker, resource, request.validateOnly, change));
    }
    return { responses };
  },
  refuse: (request, errorCode) => ({
    responses: request.resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      resourceType,
      resourceName,
    })),
  }),
});
