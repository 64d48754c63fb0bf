import { createServer, type Socket } from 'node:net';

/** A peer that answers Produce or Fetch without doing anything. Arguments: direction, topic, bytes of a batch, singles. */
const [direction = 'produce', topic = '', batchBytes = '0', singles = 'false'] = process.argv.slice(2);

const fetchBytes = 1024 * 1024;
const batch = Number(batchBytes);

/** An answer to Produce version 8 or Fetch version 11, as far as the client looks at it. */
const answer = direction === 'produce' ? produceAnswer() : fetchAnswer();

function produceAnswer(): Buffer {
  const bytes = Buffer.alloc(8 + 4 + 2 + topic.length + 4 + 4 + 2 + 30);
  bytes.writeInt32BE(bytes.length - 4, 0);
  return bytes;
}

function fetchAnswer(): Buffer {
  const records = singles === 'true' ? batch : Math.floor(fetchBytes / batch) * batch;
  const head = 8 + 4 + 2 + 4 + 4 + 2 + topic.length + 4 + 4 + 2 + 8 * 3 + 4 + 4;
  const bytes = Buffer.alloc(head + 4 + records);
  bytes.writeInt32BE(bytes.length - 4, 0);
  bytes.writeInt32BE(-1, head - 8); // no aborted transactions
  bytes.writeInt32BE(records, head);
  return bytes;
}

const server = createServer({ noDelay: true }, serve).listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address) process.send?.(address.port);
});

function serve(socket: Socket): void {
  let toSkip = 0;
  const length = Buffer.alloc(4);
  let lengthFilled = 0;
  socket.on('error', () => {});
  socket.on('data', piece => {
    let requests = 0;
    for (let at = 0; at < piece.length; ) {
      if (toSkip === 0) {
        const copied = piece.copy(length, lengthFilled, at, at + 4 - lengthFilled);
        lengthFilled += copied;
        at += copied;
        if (lengthFilled < 4) break;
        lengthFilled = 0;
        toSkip = length.readInt32BE(0);
      }
      const skipped = Math.min(toSkip, piece.length - at);
      toSkip -= skipped;
      at += skipped;
      if (toSkip === 0) requests += 1;
    }
    socket.cork();
    for (let sent = 0; sent < requests; sent += 1) socket.write(answer);
    socket.uncork();
  });
}
