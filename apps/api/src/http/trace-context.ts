/** Where a request stands in its trace (W3C Trace Context, level 1). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Header value with this request as the parent. */
  readonly traceparent: string;
}

/** `version-traceid-parentid-flags`; later versions may append fields, which are ignored (§4.3). */
const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?$/;

/**
 * Continues the trace of the given `traceparent` with a span of its own, or begins one when there is none or it is
 * not valid. New traces are sampled.
 * @param randomHex as many random bytes as asked for, in hexadecimal
 */
export function continueTrace(
  traceparent: string | undefined,
  randomHex: (bytes: number) => string,
): TraceContext {
  const match = pattern.exec(traceparent?.trim() ?? '');
  const traceId = match?.[1] ?? randomHex(16);
  const flags = match?.[2] ?? '01';
  return { traceId, traceparent: `00-${traceId}-${randomHex(8)}-${flags}` };
}
