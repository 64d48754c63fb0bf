/** How to reach a Kafka cluster. */
export interface KafkaConnection {
  /** `host:port` of at least one broker. */
  readonly brokers: readonly string[];
  /** Shown in the broker's logs and metrics. */
  readonly clientId: string;
}

/**
 * Options that every client of ours shares. The library's own retries are off: they would hide an outage behind
 * seconds of silence, and a commit that it repeats after rejoining could land on a partition that went to somebody
 * else. Each caller has a loop of its own that knows what it may repeat.
 */
export function clientOptions({ brokers, clientId }: KafkaConnection) {
  return {
    bootstrapBrokers: [...brokers],
    clientId,
    retries: 0,
    connectTimeout: 5000,
    requestTimeout: 30_000,
    timeout: 15_000,
    metadataMaxAge: 30_000,
  };
}
