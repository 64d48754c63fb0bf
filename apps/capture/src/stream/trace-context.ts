import type { TupleView } from '../protocol/tuple.ts';
import type { TableShape } from '../tables/table-shape.ts';

/** Prefix of the logical message with which a writer names the trace of its transaction. */
export const tracePrefix = 'traceparent';

/** W3C Trace Context, version 00: `00-<32 hex>-<16 hex>-<2 hex>`. */
const traceparent = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export function validTraceparent(text: string | null): string | undefined {
  return text !== null && traceparent.test(text) ? text : undefined;
}

/**
 * The trace of the request that wrote the row, from its trace_context column. When the old row is known and holds the
 * same, the writer left the column alone, and the trace is somebody else's.
 */
export function traceOfRow(shape: TableShape, row: TupleView, old: TupleView | null): string | undefined {
  if (shape.traceColumn < 0 || row.isUnchanged(shape.traceColumn)) return undefined;
  if (old !== null && row.sameAs(old, shape.traceColumn)) return undefined;
  return validTraceparent(row.text(shape.traceColumn));
}
