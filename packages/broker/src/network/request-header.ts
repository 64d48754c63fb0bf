import { WireError } from '../wire/wire-error.ts';
import type { WireReader } from '../wire/wire-reader.ts';

/**
 * Request header, the part that all versions share.
 *
 *   header => api_key INT16, api_version INT16, correlation_id INT32, client_id NULLABLE_STRING, TAGS (header v2)
 *
 * The client id has a classic length even in the flexible header v2 (KIP-482).
 */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
}

export function readRequestHeader(reader: WireReader): RequestHeader {
  if (reader.remaining < 8) throw new WireError('a frame too short for a request');
  return { apiKey: reader.int16(), apiVersion: reader.int16(), correlationId: reader.int32() };
}

export function readClientId(reader: WireReader, flexible: boolean): string | null {
  const clientId = reader.text(reader.int16());
  if (flexible) reader.taggedFields();
  return clientId;
}
