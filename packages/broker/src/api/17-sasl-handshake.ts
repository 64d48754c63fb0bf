import { errorCodes } from '../wire/error-codes.ts';
import { int16, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * SaslHandshake (key 17), versions 0–1.
 *
 *   Request =>
 *     mechanism => STRING
 *   Response =>
 *     error_code => INT16
 *     mechanisms => [STRING]
 */
export const saslHandshake = defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  servedSince: 1, // version 0 continues with bare tokens instead of SaslAuthenticate
  beforeAuthentication: true,
  request: {
    mechanism: string(),
  },
  response: {
    errorCode: int16(),
    mechanisms: list(string()),
  },
  handle(request, { peer }) {
    const isOffered = peer.sasl.choose(request.mechanism);
    const errorCode = isOffered ? errorCodes.none : errorCodes.unsupportedSaslMechanism;
    return { errorCode, mechanisms: peer.sasl.mechanisms };
  },
  refuse: (_request, errorCode) => ({ errorCode, mechanisms: [] }),
});
