import { produce } from '../../src/api/00-produce.ts';
import { initProducerId } from '../../src/api/22-init-producer-id.ts';
import { addPartitionsToTxn } from '../../src/api/24-add-partitions-to-txn.ts';
import { endTxn } from '../../src/api/26-end-txn.ts';
import { errorCodes } from '../../src/wire/error-codes.ts';
import { batchOf } from '../batches.ts';
import type { RawClient } from '../raw-client.ts';

const TRANSACTIONAL = 0x10;
const TIMEOUT_MS = 60_000;

/** An idempotent producer without retries of its own: what is not acknowledged is an error. */
export class RawProducer {
  readonly #client: RawClient;
  readonly #topic: string;
  readonly #transactionalId: string | null;
  readonly #sequences = new Map<number, number>();
  #identity = { producerId: -1, producerEpoch: -1 };

  constructor(client: RawClient, topic: string, transactionalId: string | null = null) {
    this.#client = client;
    this.#topic = topic;
    this.#transactionalId = transactionalId;
  }

  /** Gets its identity; with a transactional id this ends what an earlier producer left open. */
  async init(): Promise<void> {
    for (;;) {
      const { errorCode, ...identity } = await this.#client.call<
        { errorCode: number } & { producerId: number; producerEpoch: number }
      >(initProducerId, 1, { transactionalId: this.#transactionalId, transactionTimeoutMs: TIMEOUT_MS });
      if (errorCode === errorCodes.concurrentTransactions) continue; // its markers are being written
      accepted(errorCode);
      this.#identity = identity;
      this.#sequences.clear();
      return;
    }
  }

  /** Sends one batch; answers the offset of its first record. */
  async send(partition: number, keys: readonly string[], valueBytes: number): Promise<number> {
    const baseSequence = this.#sequences.get(partition) ?? 0;
    this.#sequences.set(partition, baseSequence + keys.length);
    const records = batchOf({
      ...this.#identity,
      baseSequence,
      attributes: this.#transactionalId === null ? 0 : TRANSACTIONAL,
      records: keys.map(key => ({ key, value: 'x'.repeat(valueBytes) })),
      timestamp: Date.now(),
    });
    const { responses } = await this.#client.call<{
      responses: { partitionResponses: { errorCode: number; baseOffset: number }[] }[];
    }>(produce, 7, {
      transactionalId: this.#transactionalId,
      acks: -1,
      timeoutMs: TIMEOUT_MS,
      topicData: [{ name: this.#topic, partitionData: [{ index: partition, records }] }],
    });
    const answer = responses[0]?.partitionResponses[0];
    accepted(answer?.errorCode);
    return answer?.baseOffset ?? -1;
  }

  /** Begins a transaction over the partitions. */
  async begin(partitions: readonly number[]): Promise<void> {
    const { results } = await this.#client.call<{
      results: { partitions: { errorCode: number }[] }[];
    }>(addPartitionsToTxn, 1, { ...this.#claim(), topics: [{ name: this.#topic, partitions }] });
    for (const { errorCode } of results[0]?.partitions ?? []) accepted(errorCode);
  }

  async end(committed: boolean): Promise<void> {
    accepted(
      (await this.#client.call<{ errorCode: number }>(endTxn, 1, { ...this.#claim(), committed })).errorCode,
    );
  }

  #claim() {
    return { transactionalId: this.#transactionalId, ...this.#identity };
  }
}

function accepted(errorCode: number | undefined): void {
  if (errorCode !== errorCodes.none) throw new Error(`the broker answered with error ${errorCode}`);
}
