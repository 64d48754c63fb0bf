/**
 * Bytes that are not what the protocol says. The peer is foreign, broken or hostile: the connection is dropped, and
 * nobody else notices.
 */
export class WireError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WireError';
  }
}
