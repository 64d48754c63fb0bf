/** A broker that a test started and stops: the embedded one or Apache Kafka. */
export interface BrokerUnderTest {
  /** For test titles: who is tried. */
  readonly name: string;
  /** `host:port`, as clients want it. */
  readonly bootstrap: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A broker's process that was just started and does not answer yet. */
export interface Launched {
  readonly pid: number;
  readonly port: number;
}

/** How a broker is started when a test's defaults do not suit. */
export interface LaunchOptions {
  /** Told as soon as the process exists, for whoever measures from there. */
  readonly onLaunch?: (launched: Launched) => void;
}
