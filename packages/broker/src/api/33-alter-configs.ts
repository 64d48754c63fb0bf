import { type AlteredResource, alterResource } from '../topics/config-change.ts';
import { array, boolean, int8, int16, int32, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * AlterConfigs (key 33), versions 0–2, flexible from 2.
 *
 *   Request =>
 *     resources => ARRAY
 *       resource_type => INT8
 *       resource_name => STRING
 *       configs => ARRAY
 *         name => STRING
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
export const alterConfigs = defineApi({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
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
      const replaced = new Map(resource.configs.map(({ name, value }) => [name, value]));
      responses.push(await alterResource(broker, resource, request.validateOnly, () => replaced));
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
