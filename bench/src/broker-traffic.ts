import {
  fetchFrame,
  fetchHead,
  produceError,
  produceFrame,
  recordBatch,
  setFetchOffset,
} from './broker-frames.ts';
import type { Traffic } from './broker-lane.ts';

/** One row of the comparison: how large messages are and how many travel together. */
export interface Shape {
  readonly messageBytes: number;
  readonly messagesPerBatch: number;
}

/** A partition to write to or to read from. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** Bytes of messages of one partition that a consumer asks for at once; the default of Kafka's Java client. */
const fetchBytes = 1024 * 1024;

/** The same request over and over. */
export function producing({ topic, partition }: Place, shape: Shape): Traffic {
  const one = produceFrame(topic, partition, recordBatch(shape.messageBytes, shape.messagesPerBatch));
  const repeated = [one];
  return {
    requests(count) {
      repeated[count - 1] ??= Buffer.concat(Array.from({ length: count }, () => one));
      return repeated[count - 1] as Buffer;
    },
    answered(head) {
      const error = produceError(head, topic);
      if (error !== 0) throw new Error(`Produce was answered with error ${error}`);
      return shape.messageBytes * shape.messagesPerBatch;
    },
  };
}

/** Reads a partition from its start to its end, again and again, a megabyte at a time; one request is under way. */
export function fetchingMuch({ topic, partition }: Place, shape: Shape, messages: number): Traffic {
  const batchBytes = recordBatch(shape.messageBytes, shape.messagesPerBatch).length;
  const request = fetchFrame(topic, partition, 0, fetchBytes);
  let offset = 0;
  return {
    requests: () => request,
    answered(head) {
      const { error, bytes } = fetchHead(head, topic);
      if (error !== 0) throw new Error(`Fetch was answered with error ${error}`);
      // Brokers may cut the last batch off, which clients then throw away and ask for again.
      const received = Math.floor(bytes / batchBytes) * shape.messagesPerBatch;
      offset = offset + received >= messages || received === 0 ? 0 : offset + received;
      setFetchOffset(request, offset);
      return received * shape.messageBytes;
    },
  };
}

/** Reads a partition of single messages one by one: every request asks for one byte, and gets one message. */
export function fetchingSingles({ topic, partition }: Place, shape: Shape, messages: number): Traffic {
  const frames = Buffer.concat(
    Array.from({ length: messages }, (_, offset) => fetchFrame(topic, partition, offset, 1)),
  );
  const frameBytes = frames.length / messages;
  let next = 0;
  return {
    requests(count) {
      if (next + count > messages) next = 0;
      const requests = frames.subarray(next * frameBytes, (next + count) * frameBytes);
      next += count;
      return requests;
    },
    answered(head) {
      const { error, bytes } = fetchHead(head, topic);
      if (error !== 0 || bytes <= 0)
        throw new Error(`Fetch was answered with error ${error}, ${bytes} bytes`);
      return shape.messageBytes;
    },
  };
}
