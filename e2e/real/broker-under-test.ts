/** A broker that a test started and stops: the embedded one or Apache Kafka. */
export interface BrokerUnderTest {
  /** For test titles: who is tried. */
  readonly name: string;
  /** `host:port`, as clients want it. */
  readonly bootstrap: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}
