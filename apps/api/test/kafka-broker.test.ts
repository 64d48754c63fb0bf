import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { systemClock } from '@tidemark/kernel';
import { probeBrokers } from '../src/broker/broker-probe.ts';
import { createKafkaBroker } from '../src/broker/kafka-broker.ts';

describe('the broker', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(onData: (socket: Socket, data: Buffer) => void): Promise<string> {
    const server = createServer(socket => {
      sockets.add(socket);
      socket.on('data', data => onData(socket, data));
      socket.on('error', () => {});
    });
    servers.push(server);
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const nobody = '127.0.0.1:9';
  const soon = () => AbortSignal.timeout(2000);

  test('is found by the answer to ApiVersions, in pieces or at once', async () => {
    const speaks = await listen((socket, request) => {
      assert.deepEqual([...request.subarray(4, 8)], [0, 18, 0, 0]);
      socket.write(Buffer.from([0, 0, 0, 10, 0, 0]));
      setImmediate(() => socket.write(Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])));
    });
    await probeBrokers([nobody, speaks], soon());
  });

  test('is not found where nobody listens, or something else does', async () => {
    await assert.rejects(probeBrokers([nobody], soon()), {
      code: 'BROKER_UNREACHABLE',
      message: `no broker answers at ${nobody}`,
    });
    const web = await listen(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await assert.rejects(probeBrokers([web], soon()), { code: 'BROKER_UNREACHABLE' });
    const closes = await listen(socket => socket.destroy());
    await assert.rejects(probeBrokers([closes], soon()), { code: 'BROKER_UNREACHABLE' });
    const silent = await listen(() => {});
    await assert.rejects(probeBrokers([silent], AbortSignal.timeout(50)), { code: 'BROKER_UNREACHABLE' });
  });

  test('that does not acknowledge in time fails the event with 503, and close does not hang', async () => {
    const silent = await listen(() => {});
    for (const address of [nobody, silent]) {
      const broker = createKafkaBroker({
        brokers: [address],
        produceTimeoutMs: 300,
        clock: systemClock,
        random: Math.random,
      });
      const event = { topic: 'events.main', key: 'user:1', value: '{}', headers: {} };
      const begin = performance.now();
      await assert.rejects(broker.publish(event), { code: 'BROKER_UNAVAILABLE', statusCode: 503 });
      assert.ok(performance.now() - begin < 5000);
      await broker.close();
    }
  });
});
