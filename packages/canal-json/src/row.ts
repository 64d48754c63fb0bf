import type { Row, RowChange } from './message.ts';

/**
 * The whole row before an UPDATE, as far as it can be known: what `old` leaves out did not change, so it is taken
 * from `data`. The row itself for a DELETE; null for an INSERT and for an UPDATE whose source did not send `old`.
 */
export function previousRow(change: RowChange): Row | null {
  if (change.type === 'DELETE') return change.data;
  return change.old === null ? null : { ...change.data, ...change.old };
}

/** Bytes of a binary value (`blob`, `binary`), which Canal-JSON carries as text in ISO-8859-1. */
export function binaryValue(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The text that Canal-JSON carries for a binary value. */
export function binaryText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
