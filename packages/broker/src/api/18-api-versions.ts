import { errorCodes } from '../wire/error-codes.ts';
import { array, boolean, int16, int32, int64, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * ApiVersions (key 18), versions 0–4, flexible from 3.
 *
 *   Request =>
 *     client_software_name => STRING (v3+)
 *     client_software_version => STRING (v3+)
 *   Response =>
 *     error_code => INT16
 *     api_keys => ARRAY
 *       api_key => INT16
 *       min_version => INT16
 *       max_version => INT16
 *     throttle_time_ms => INT32 (v1+)
 *     supported_features => ARRAY (v3+) tag 0
 *       name => STRING
 *       min_version => INT16
 *       max_version => INT16
 *     finalized_features_epoch => INT64 (v3+) tag 1
 *     finalized_features => ARRAY (v3+) tag 2
 *       name => STRING
 *       max_version_level => INT16
 *       min_version_level => INT16
 *     zk_migration_ready => BOOL (v3+) tag 3
 */
export const apiVersions = defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexibleSince: 3,
  beforeAuthentication: true,
  request: {
    clientSoftwareName: string({ since: 3 }),
    clientSoftwareVersion: string({ since: 3 }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({
      apiKey: int16(),
      minVersion: int16(),
      maxVersion: int16(),
    }),
    throttleTimeMs: int32({ since: 1, default: 0 }),
    supportedFeatures: array(
      {
        name: string(),
        minVersion: int16(),
        maxVersion: int16(),
      },
      { since: 3, tag: 0 },
    ),
    finalizedFeaturesEpoch: int64({ since: 3, tag: 1, default: -1 }),
    finalizedFeatures: array(
      {
        name: string(),
        maxVersionLevel: int16(),
        minVersionLevel: int16(),
      },
      { since: 3, tag: 2 },
    ),
    zkMigrationReady: boolean({ since: 3, tag: 3, default: false }),
  },
  handle: (_request, { broker }) => ({ errorCode: errorCodes.none, apiKeys: broker.apis }),
  refuse: (_request, errorCode) => ({ errorCode, apiKeys: [] }),
});
