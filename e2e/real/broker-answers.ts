import { connect } from 'node:net';

/**
 * Whether a broker at this address takes part in its cluster: it answers a Metadata request (protocol guide, API key 3,
 * version 1, no topics) and names at least one broker. A node of Apache Kafka that has only begun to start names none.
 */
export function brokerAnswers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write(metadataRequest()));
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    let received = Buffer.alloc(0);
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 12) finish(received.readInt32BE(8) > 0); // after frame length and correlation id
    });
    socket.setTimeout(2000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

function metadataRequest(): Buffer {
  const request = Buffer.alloc(18);
  request.writeInt32BE(14, 0); // length of what follows
  request.writeInt16BE(3, 4); // Metadata
  request.writeInt16BE(1, 6); // version
  request.writeInt32BE(1, 8); // correlation id
  request.writeInt16BE(-1, 12); // no client id
  request.writeInt32BE(0, 14); // no topics
  return request;
}
