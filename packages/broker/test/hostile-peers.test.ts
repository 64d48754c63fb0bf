import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type BrokerLog, type RunningBroker, startBroker } from '../src/index.ts';
import { apiVersionsRequest, framed } from './frames.ts';

/** Sends bytes and resolves with what came back when the broker closes, or once `enough` bytes arrived. */
function exchange(port: number, bytes: Buffer, enough = Number.POSITIVE_INFINITY): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const received: Buffer[] = [];
    const finish = () => {
      socket.destroy();
      resolve(Buffer.concat(received));
    };
    socket.setTimeout(5000, () => reject(new Error('the broker neither answered nor closed')));
    socket.on('data', piece => {
      received.push(piece);
      if (Buffer.concat(received).length >= enough) finish();
    });
    socket.on('close', finish);
    socket.on('error', finish);
  });
}

describe('foreign and hostile peers', () => {
  let broker: RunningBroker;
  const warnings: string[] = [];
  const defects: unknown[] = [];
  const logger: BrokerLog = {
    info() {},
    warn: (_facts, message) => warnings.push(message),
    error: (facts, message) => defects.push(message, facts),
  };

  before(async () => {
    broker = await startBroker({ logger, limits: { frameMs: 300, idleMs: 2000 } });
  });
  after(() => broker.stop());

  async function stillServes(): Promise<void> {
    const answer = await exchange(broker.port, framed(apiVersionsRequest(7)), 8);
    assert.equal(answer.readInt32BE(4), 7, 'the correlation id comes back');
  }

  const foreign: readonly (readonly [string, Buffer])[] = [
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a TLS hello', Buffer.from('16030100f8010000f40303', 'hex')],
    ['random bytes', Buffer.concat([Buffer.from([0x7f]), randomBytes(400)])],
    ['a negative length', Buffer.from('ffffffff00', 'hex')],
    ['a length of zero', Buffer.alloc(4)],
    ['a huge length', Buffer.from('7fffffff', 'hex')],
    ['an unknown API key', framed(Buffer.from('03e7000000000001ffff', 'hex'))],
    ['a version that was never there', framed(Buffer.from('0003006300000001ffff', 'hex'))],
    ['an array longer than its frame', framed(Buffer.from('000300010000000100017aff7fffffff', 'hex'))],
    ['a truncated frame that never ends', Buffer.from('0000006400030001', 'hex')],
  ];
  for (const [what, bytes] of foreign) {
    test(`${what} is dropped with one log line and harms nobody else`, async () => {
      warnings.length = 0;
      assert.equal((await exchange(broker.port, bytes)).length, 0);
      assert.deepEqual(warnings, ['connection dropped']);
      await stillServes();
    });
  }

  test('a version of ApiVersions from the future is answered with the table in version 0', async () => {
    const answer = await exchange(broker.port, framed(Buffer.from('001200630000002affff', 'hex')), 10);
    assert.equal(answer.readInt32BE(4), 42);
    assert.equal(answer.readInt16BE(8), 35);
  });
});
