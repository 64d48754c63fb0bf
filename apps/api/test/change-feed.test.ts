import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deferred, systemClock } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { EventStream } from '../src/changes/event-stream.ts';
import { EventClient } from './event-client.ts';

describe('an event stream', () => {
  let server: Server;
  let url: string;
  let onResponse: (response: ServerResponse) => void;

  before(async () => {
    server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      onResponse(response);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  async function connect(
    patienceMs?: number,
  ): Promise<{ client: EventClient; response: ServerResponse; stream: EventStream }> {
    const arrived = deferred<ServerResponse>();
    onResponse = response => arrived.resolve(response);
    const client = await EventClient.open(url, {});
    const response = await arrived.promise;
    return { client, response, stream: new EventStream(response, systemClock, patienceMs) };
  }

  test('holds a bounded number of bytes for a client that does not read, and then lets it go', async () => {
    const { client, response, stream } = await connect(200);
    client.pause();
    const data = 'x'.repeat(64 * 1024);
    let bytesMax = 0;
    for (let sent = 0; sent < 2000 && !stream.ended; sent += 1) {
      await stream.send({ id: String(sent), type: 'change', data });
      bytesMax = Math.max(bytesMax, response.writableLength);
    }
    assert.equal(stream.ended, true);
    assert.ok(bytesMax < 2 * 1024 * 1024, `${bytesMax} bytes were held`);
    await eventually('the connection is gone', () => response.destroyed);
    client.close();
  });

  test('tells a client that reads again, but too late, to reconnect', async () => {
    const { client, stream } = await connect(100);
    client.pause();
    const data = 'x'.repeat(64 * 1024);
    while (!stream.ended) await stream.send({ id: '1', type: 'change', data });
    client.resume();
    await eventually('the reason came', () =>
      client.events.some(event => event.type === 'reconnect' && event.data === '{"reason":"slow"}'),
    );
  });

  test('waits for a client that reads slowly but reads', async () => {
    const { client, stream } = await connect(5000);
    client.pause();
    const data = 'x'.repeat(64 * 1024);
    const sending = (async () => {
      for (let sent = 0; sent < 150; sent += 1) await stream.send({ id: String(sent), type: 'change', data });
    })();
    setTimeout(() => client.resume(), 100);
    await sending;
    await eventually('everything came', () => client.events.length === 150);
    assert.equal(stream.ended, false);
    client.close();
  });

  test('moves the last event id without an event', async () => {
    const { client, stream } = await connect();
    stream.heartbeat('77');
    await eventually('the id came', () => client.lastEventId === '77');
    assert.equal(client.events.length, 0);
    client.close();
  });
});
