import { connect } from 'node:net';

/*
 * Two questions to a broker, asked without any client library, so that no library's opinion stands between a test and the
 * bytes. Layouts are from Kafka's protocol guide; record batches are of magic 2.
 */

/** Compression codecs by their number in a batch's attributes. */
const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/**
 * Whether a broker at this address takes part in its cluster: it names at least one broker in its metadata. A node of
 * Apache Kafka that has only begun to start names none.
 */
export async function brokerAnswers(port: number): Promise<boolean> {
  try {
    const noTopics = int32(0);
    const response = await call({ port, api: 3, version: 1, body: noTopics });
    return response.readInt32BE(0) > 0;
  } catch {
    return false;
  }
}

/** Codecs of the batches that partition 0 of a topic stores, each named once, in the order of their first batch. */
export async function storedCodecs(bootstrap: string, topic: string): Promise<readonly string[]> {
  const port = Number(bootstrap.split(':')[1]);
  const name = Buffer.from(topic);
  const body = Buffer.concat([
    ...[-1, 1000, 1, 16 * 1024 * 1024].map(int32), // replica, wait, bytes at least, bytes at most
    Buffer.from([0]), // read uncommitted
    ...[0, -1, 1].map(int32), // no fetch session; one topic
    int16(name.length),
    name,
    ...[1, 0, -1].map(int32), // one partition, number 0, any leader epoch
    ...[0n, -1n].map(int64), // from offset 0; no log start, because this is no follower
    ...[16 * 1024 * 1024, 0].map(int32), // bytes at most; no forgotten topics
    int16(0), // no rack
  ]);
  const response = await call({ port, api: 1, version: 11, body });
  return [...new Set(codecsOf(recordsOf(response, name.length)))];
}

/** The records of the only partition in a Fetch response of version 11. */
function recordsOf(response: Buffer, nameLength: number): Buffer {
  const partition = 4 + 2 + 4 + 4 + 2 + nameLength + 4; // throttle, error, session, topics, name, partitions
  const error = response.readInt16BE(partition + 4);
  if (error !== 0) throw new Error(`the broker answered Fetch with error ${error}`);
  const aborted = partition + 4 + 2 + 8 * 3; // number, error, high watermark, last stable offset, log start
  const records = aborted + 4 + Math.max(response.readInt32BE(aborted), 0) * 16 + 4; // each aborted one, replica
  return response.subarray(records + 4, records + 4 + response.readInt32BE(records));
}

function* codecsOf(records: Buffer): Generator<string> {
  let at = 0;
  while (at + 61 <= records.length) {
    yield codecNames[records.readInt16BE(at + 21) & 7] ?? 'unknown';
    at += 12 + records.readInt32BE(at + 8);
  }
}

interface Call {
  readonly port: number;
  readonly api: number;
  readonly version: number;
  readonly body: Buffer;
}

/** Sends one request of an old, not flexible version; answers the body of the response. */
function call({ port, api, version, body }: Call): Promise<Buffer> {
  const header = Buffer.concat([int16(api), int16(version), int32(1), int16(-1)]); // correlation id 1, no client id
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(Buffer.concat([int32(header.length + body.length), header, body])),
    );
    let received = Buffer.alloc(0);
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      resolve(received.subarray(8)); // after length and correlation id
      socket.destroy();
    });
    socket.setTimeout(5000, () => socket.destroy(new Error('the broker did not answer within 5 s')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the broker closed the connection')));
  });
}

const int16 = (value: number) => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
