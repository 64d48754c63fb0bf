import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { signedHeaders, webhookProbe, webhookSink } from '@tidemark/connectors';
import { systemClock } from '@tidemark/kernel';
import { asDeliveryError, type FailureKind } from '@tidemark/pipeline';
import { type Answer, HttpPeer } from './http-peer.ts';
import { record } from './records.ts';

const never = new AbortController().signal;
const secret = `whsec_${Buffer.from('a key of the test').toString('base64')}`;
const accept: Answer = (_request, _body, response) => response.writeHead(204).end();

/** A batch of events with these keys, each posting its offset. */
function batchOf(keys: readonly string[]) {
  const items = keys.map((key, index) => ({
    record: record({ offset: BigInt(index), key: Buffer.from(key), value: Buffer.from(`${key}${index}`) }),
    fate: 'deliver' as const,
    event: `${key}${index}`,
  }));
  return {
    partition: { topic: 'events.main', partition: 0 },
    items,
    span: { from: 0n, to: BigInt(keys.length) },
  };
}

describe('the webhook sink', () => {
  const peer = new HttpPeer(accept);
  before(() => peer.start());
  after(() => peer.stop());
  afterEach(() => {
    peer.answer = accept;
  });
  const sink = (timeoutMs = 5000) =>
    webhookSink<string>({ url: peer.url, secret, clock: systemClock, timeoutMs, idOf: ({ event }) => event });
  const status =
    (code: number, headers: Record<string, string> = {}): Answer =>
    (_request, _body, response) =>
      response.writeHead(code, headers).end('why');

  test('signs id, time and body, so that a change to any of them shows', () => {
    // Checked against an independent computation: printf 'id.1700000000.body' | openssl dgst -sha256 -hmac 'a key of the test' -binary | base64
    const { 'webhook-signature': signature } = signedHeaders(
      secret,
      'id',
      Buffer.from('body'),
      1_700_000_000_500,
    );
    assert.equal(signature, 'v1,41pvTOdTgdUS4it9cS3BK550VBBIC3q3URE5voZNkTQ=');
    for (const other of [
      signedHeaders(secret, 'id2', Buffer.from('body'), 1_700_000_000_500),
      signedHeaders(secret, 'id', Buffer.from('body2'), 1_700_000_000_500),
      signedHeaders(secret, 'id', Buffer.from('body'), 1_700_000_001_500),
      signedHeaders('whsec_AAAA', 'id', Buffer.from('body'), 1_700_000_000_500),
    ])
      assert.notEqual(other['webhook-signature'], signature);
  });

  test('what the receiver answers tells the event’s fault from the receiver’s', async () => {
    const kinds: [number, FailureKind][] = [
      [400, 'permanent'],
      [413, 'permanent'],
      [422, 'permanent'],
      [500, 'transient'],
      [401, 'down'],
      [404, 'down'],
      [410, 'down'],
      [429, 'down'],
      [503, 'down'],
      [302, 'down'],
    ];
    for (const [code, kind] of kinds) {
      peer.answer = status(code);
      await assert.rejects(sink().deliver(batchOf(['a']), never), (error: unknown) => {
        assert.equal(asDeliveryError(error).kind, kind, String(code));
        assert.equal(asDeliveryError(error).errorClass, `HTTP ${code}`);
        return true;
      });
    }
  });

  test('a receiver that asks to be left alone for a while is, up to a limit', async () => {
    for (const [header, waitMs] of [
      ['7', 7000],
      ['999999', 300_000],
      ['soon', 0],
    ] as const) {
      peer.answer = status(429, { 'retry-after': header });
      await assert.rejects(
        sink().deliver(batchOf(['a']), never),
        (error: unknown) => asDeliveryError(error).retryAfterMs === waitMs,
      );
    }
  });

  test('a redirect is not followed: what is signed for one address goes to no other', async () => {
    const asked: (string | undefined)[] = [];
    peer.answer = (request, _body, response) => {
      asked.push(request.url);
      response.writeHead(307, { location: `${peer.url}elsewhere` }).end();
    };
    await assert.rejects(sink().deliver(batchOf(['a']), never));
    assert.deepEqual(asked, ['/']);
  });

  test('of an answer without end only the beginning is read', async () => {
    peer.answer = (_request, _body, response) => {
      response.writeHead(400);
      const more = () => {
        while (response.write(Buffer.alloc(65_536, 'x')));
      };
      response.on('drain', more);
      response.on('error', () => {});
      more();
    };
    await assert.rejects(sink().deliver(batchOf(['a']), never), (error: unknown) => {
      assert.equal(asDeliveryError(error).kind, 'permanent');
      return asDeliveryError(error).message.length < 1000;
    });
  });

  test('a receiver that does not answer in time is down', async () => {
    peer.answer = () => {};
    await assert.rejects(
      sink(50).deliver(batchOf(['a']), never),
      (error: unknown) => asDeliveryError(error).kind === 'down',
    );
  });

  test('events of a key go one after the other, others at the same time, and a repeated batch skips what was acknowledged', async () => {
    const seen: string[] = [];
    let failing = true;
    peer.answer = (request, _body, response) => {
      const id = String(request.headers['webhook-id']);
      if (id === 'b3' && failing) response.writeHead(503).end();
      else {
        seen.push(id);
        response.writeHead(204).end();
      }
    };
    const one = sink();
    const batch = batchOf(['a', 'b', 'a', 'b', 'a', 'b']);
    await assert.rejects(one.deliver(batch, never));
    failing = false;
    await one.deliver(batch, never);
    assert.equal(new Set(seen).size, seen.length, 'nothing was posted twice');
    for (const key of ['a', 'b']) {
      const own = seen.filter(id => id.startsWith(key));
      assert.deepEqual(own, own.toSorted());
    }
  });

  test('the probe takes any answer but one of a receiver in trouble', async () => {
    const probe = webhookProbe({ url: peer.url, secret, clock: systemClock, timeoutMs: 5000 });
    peer.answer = status(400);
    await probe(never);
    for (const code of [500, 503, 429, 401]) {
      peer.answer = status(code);
      await assert.rejects(probe(never));
    }
  });
});
