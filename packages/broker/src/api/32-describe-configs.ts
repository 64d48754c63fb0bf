import { documentationOf } from '../topics/config-documentation.ts';
import { describeResource } from '../topics/config-description.ts';
import { errorCodes, ProtocolError } from '../wire/error-codes.ts';
import { array, boolean, int8, int16, int32, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * DescribeConfigs (key 32), versions 1–4, flexible from 4.
 *
 *   Request =>
 *     resources => ARRAY
 *       resource_type => INT8
 *       resource_name => STRING
 *       configuration_keys => [STRING]?
 *     include_synonyms => BOOL
 *     include_documentation => BOOL (v3+)
 *   Response =>
 *     throttle_time_ms => INT32
 *     results => ARRAY
 *       error_code => INT16
 *       error_message => NULLABLE_STRING
 *       resource_type => INT8
 *       resource_name => STRING
 *       configs => ARRAY
 *         name => STRING
 *         value => NULLABLE_STRING
 *         read_only => BOOL
 *         config_source => INT8
 *         is_sensitive => BOOL
 *         synonyms => ARRAY
 *           name => STRING
 *           value => NULLABLE_STRING
 *           source => INT8
 *         config_type => INT8 (v3+)
 *         documentation => NULLABLE_STRING (v3+)
 */
export const describeConfigs = defineApi({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexibleSince: 4,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configurationKeys: list(string(), { nullable: 0 }),
    }),
    includeSynonyms: boolean({ default: false }),
    includeDocumentation: boolean({ since: 3, default: false }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0, default: null }),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: string({ nullable: 0 }),
        readOnly: boolean(),
        configSource: int8({ default: -1 }),
        isSensitive: boolean(),
        synonyms: array({
          name: string(),
          value: string({ nullable: 0 }),
          source: int8(),
        }),
        configType: int8({ since: 3, default: 0 }),
        documentation: string({ since: 3, nullable: 0, default: null }),
      }),
    }),
  },
  handle: (request, { broker }) => ({
    results: request.resources.map(resource => {
      const { resourceType, resourceName, configurationKeys } = resource;
      try {
        const isWanted = (name: string) =>
          !configurationKeys || configurationKeys.length === 0 || configurationKeys.includes(name);
        const configs = describeResource(broker, resourceType, resourceName)
          .filter(({ name }) => isWanted(name))
          .map(config => ({
            ...config,
            synonyms: request.includeSynonyms ? config.synonyms : [],
            documentation: request.includeDocumentation ? documentationOf(config.name) : null,
          }));
        return { errorCode: errorCodes.none, resourceType, resourceName, configs };
      } catch (error) {
        const errorMessage = error instanceof ProtocolError ? error.message : null;
        return { errorCode: broker.codeOf(error), errorMessage, resourceType, resourceName, configs: [] };
      }
    }),
  }),
  refuse: (request, errorCode) => ({
    results: request.resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      resourceType,
      resourceName,
      configs: [],
    })),
  }),
});
