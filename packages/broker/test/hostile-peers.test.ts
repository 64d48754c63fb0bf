import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { seededRandom } from '@tidemark/kernel';
import { type BrokerLog, type RunningBroker, startBroker } from '../src/index.ts';
import { apiVersionsRequest, framed, validFrames } from './frames.ts';

/** Mutated frames per run; the long form of the suite sets `TIDEMARK_FUZZ_FRAMES=100000`. */
const FRAMES = Number(process.env['TIDEMARK_FUZZ_FRAMES'] ?? 3000);
const SEED = Number(process.env['TIDEMARK_FUZZ_SEED'] ?? Date.now() % 1_000_000);

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

  test(`${FRAMES} mutated frames neither crash the broker nor leave a connection behind (seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const seeds = [1, 2, 3].flatMap(() => validFrames(random));
    const workers = Array.from({ length: 16 }, async () => {
      for (let index = 0; index < FRAMES / 16; index += 1)
        await sendMutated(broker.port, mutate(pick(seeds, random), random));
    });
    await Promise.all(workers);
    await stillServes();
    assert.deepEqual(defects, []);
    const deadline = Date.now() + 5000;
    while (broker.snapshot().requestBytes > 0 || broker.snapshot().connections > 0) {
      assert.ok(Date.now() < deadline, `stuck: ${JSON.stringify(broker.snapshot().requestBytes)}`);
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  });
});

const pick = <T>(items: readonly T[], random: () => number): T =>
  items[Math.floor(random() * items.length)] as T;

/** Flips, cuts, repeats or inserts bytes; the length in front still fits, so that the decoders get to see it. */
function mutate(frame: Buffer, random: () => number): Buffer {
  let body = Buffer.from(frame);
  const rounds = 1 + Math.floor(random() * 4);
  for (let round = 0; round < rounds; round += 1) {
    const at = Math.floor(random() * body.length);
    const kind = Math.floor(random() * 4);
    if (kind === 0) body[at] = Math.floor(random() * 256);
    else if (kind === 1) body = body.subarray(0, Math.max(1, at));
    else if (kind === 2) body = Buffer.concat([body.subarray(0, at), body.subarray(at / 2)]);
    else body = Buffer.concat([body.subarray(0, at), Buffer.from([0xff, 0xff, 0x7f]), body.subarray(at)]);
  }
  return body;
}

/** Whatever the broker makes of the frame, it answers it, closes, or parks it; the peer then leaves. */
async function sendMutated(port: number, body: Buffer): Promise<void> {
  await new Promise<void>(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write(framed(body)));
    socket.on('data', () => socket.destroy());
    socket.setTimeout(100, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}
