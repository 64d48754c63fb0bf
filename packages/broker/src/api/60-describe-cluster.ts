import { operationsIf } from '../security/authorized-operations.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, boolean, int8, int16, int32, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * DescribeCluster (key 60), versions 0–1, flexible from 0.
 *
 *   Request =>
 *     include_cluster_authorized_operations => BOOL
 *     endpoint_type => INT8 (v1+)
 *   Response =>
 *     throttle_time_ms => INT32
 *     error_code => INT16
 *     error_message => NULLABLE_STRING
 *     endpoint_type => INT8 (v1+)
 *     cluster_id => STRING
 *     controller_id => INT32
 *     brokers => ARRAY
 *       broker_id => INT32
 *       host => STRING
 *       port => INT32
 *       rack => NULLABLE_STRING
 *     cluster_authorized_operations => INT32
 */
export const describeCluster = defineApi({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    includeClusterAuthorizedOperations: boolean(),
    endpointType: int8({ since: 1, default: 1 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: 0, default: null }),
    endpointType: int8({ since: 1, default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: 0, default: null }),
    }),
    clusterAuthorizedOperations: int32({ default: -2147483648 }),
  },
  handle(request, { broker }) {
    const { id, host, port } = broker.node;
    if (request.endpointType !== BROKERS) {
      const errorMessage = 'only brokers can be described';
      return { errorCode: errorCodes.invalidRequest, errorMessage, clusterId: broker.clusterId, brokers: [] };
    }
    return {
      errorCode: errorCodes.none,
      clusterId: broker.clusterId,
      controllerId: id,
      brokers: [{ brokerId: id, host, port }],
      clusterAuthorizedOperations: operationsIf(request.includeClusterAuthorizedOperations, 'cluster'),
    };
  },
  refuse: (_request, errorCode) => ({ errorCode, clusterId: '', brokers: [] }),
});

/** Kind of endpoints: 1 brokers, 2 controllers (KIP-919). */
const BROKERS = 1;
