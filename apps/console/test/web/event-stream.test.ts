import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ApiError } from '../../src/web/shared/api-error.ts';
import { followEvents, type StreamState } from '../../src/web/shared/event-stream.ts';
import { createStreamParser, type StreamEvent } from '../../src/web/shared/event-stream-parser.ts';

function parse(pieces: readonly string[]): readonly StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = createStreamParser({ onEvent: event => events.push(event) });
  for (const piece of pieces) parser.push(piece);
  return events;
}

const sample =
  ': welcome\n\nid: 7\nevent: change\ndata: {"a":1}\n\ndata: one\r\ndata:two\r\n\r\nevent: bye\n\n';

describe('the event stream parser', () => {
  test('reads ids, types, data of several lines, and skips comments and events without data', () => {
    assert.deepEqual(parse([sample]), [
      { id: '7', type: 'change', data: '{"a":1}' },
      { id: '7', type: 'message', data: 'one\ntwo' },
    ]);
  });

  test('does not care where the network cuts', () => {
    const whole = parse([sample]);
    fc.assert(
      fc.property(fc.array(fc.nat(sample.length), { maxLength: 12 }), cuts => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), sample.length];
        const pieces = at.slice(1).map((end, index) => sample.slice(at[index], end));
        assert.deepEqual(parse(pieces), whole);
      }),
    );
  });

  test('reports how long the server wants clients to wait', () => {
    const waits: number[] = [];
    createStreamParser({ onEvent: () => {}, onRetryMs: ms => waits.push(ms) }).push(
      'retry: 1500\nretry: soon\n',
    );
    assert.deepEqual(waits, [1500]);
  });
});

describe('following events', () => {
  const streamOf = (text: string) => new Blob([text]).stream() as unknown as ReadableStream<Uint8Array>;

  test('goes on after the last event when the connection is lost', async () => {
    const abort = new AbortController();
    const asked: string[] = [];
    const got: string[] = [];
    await followEvents({
      lastEventId: '5',
      signal: abort.signal,
      random: () => -0.5,
      onState: () => {},
      onEvent: event => {
        got.push(event.data);
        if (got.length === 3) abort.abort();
      },
      open: lastEventId => {
        asked.push(lastEventId);
        if (asked.length === 2)
          return Promise.reject(new ApiError({ status: 502, code: 'X', message: 'down' }));
        const next = Number(lastEventId) + 1;
        return Promise.resolve(
          streamOf(`id: ${next}\ndata: ${next}\n\nid: ${next + 1}\ndata: ${next + 1}\n\n`),
        );
      },
    });
    assert.deepEqual(asked, ['5', '7', '7']);
    assert.deepEqual(got.slice(0, 3), ['6', '7', '8']);
  });

  test('a heartbeat without an event moves the id to reconnect with', async () => {
    const abort = new AbortController();
    const asked: string[] = [];
    await followEvents({
      lastEventId: '5',
      signal: abort.signal,
      random: () => -0.5,
      onState: () => {},
      onEvent: () => assert.fail('nothing happened'),
      open: lastEventId => {
        asked.push(lastEventId);
        if (asked.length === 2) abort.abort();
        return Promise.resolve(streamOf(': ping\nid: 900\n\n'));
      },
    });
    assert.deepEqual(asked, ['5', '900']);
  });

  test('gives up when the request itself is refused', async () => {
    const states: StreamState[] = [];
    await followEvents({
      lastEventId: '0',
      signal: new AbortController().signal,
      random: () => 0,
      onState: state => states.push(state),
      onEvent: () => {},
      open: () => Promise.reject(new ApiError({ status: 400, code: 'BAD', message: 'no' })),
    });
    assert.deepEqual(states, ['connecting', 'failed']);
  });
});
