import { errorCodes } from '../wire/error-codes.ts';
import { bytes, int16, int64, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * SaslAuthenticate (key 36), versions 0–2, flexible from 2.
 *
 *   Request =>
 *     auth_bytes => BYTES
 *   Response =>
 *     error_code => INT16
 *     error_message => NULLABLE_STRING
 *     auth_bytes => BYTES
 *     session_lifetime_ms => INT64 (v1+)
 */
export const saslAuthenticate = defineApi({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexibleSince: 2,
  beforeAuthentication: true,
  request: {
    authBytes: bytes(),
  },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: 0, default: null }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ since: 1, default: 0 }),
  },
  handle(request, { peer }) {
    const step = peer.sasl.step(request.authBytes);
    if (!step) return { errorCode: errorCodes.illegalSaslState, authBytes: NOTHING };
    if (step.kind !== 'failed') return { errorCode: errorCodes.none, authBytes: step.bytes };
    const errorMessage = 'Authentication failed: invalid credentials';
    return { errorCode: errorCodes.saslAuthenticationFailed, errorMessage, authBytes: NOTHING };
  },
  refuse: (_request, errorCode) => ({ errorCode, authBytes: NOTHING }),
});

const NOTHING = Buffer.alloc(0);
