/** What the broker tells about itself as it goes. The host registers these with its own metrics library. */
export interface BrokerMetrics {
  /**
   * One answered request. `error` is the protocol's error name for the whole request or, of a produce, for its first
   * partition that has one; `none` when there is none.
   */
  requestDone(api: string, error: string, durationMs: number): void;
  bytesReceived(bytes: number): void;
  bytesSent(bytes: number): void;
  connectionOpened(): void;
  /** `reason` is one of a few words, fit for a label. */
  connectionClosed(reason: string): void;
}

/** Counts nothing. */
export const noMetrics: BrokerMetrics = {
  requestDone() {},
  bytesReceived() {},
  bytesSent() {},
  connectionOpened() {},
  connectionClosed() {},
};
