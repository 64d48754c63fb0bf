import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaDeadLetters } from '@tidemark/connectors';
import type { DeadLetter } from '@tidemark/pipeline';

const never = new AbortController().signal;

/** Sends letters whose records have values of these sizes; how many went in each request, and whether compressed. */
async function requestsFor(sizes: readonly number[]) {
  const requests: { messages: number; compressed: boolean }[] = [];
  const sender = {
    async send(messages: readonly unknown[], { compressed = false } = {}) {
      requests.push({ messages: messages.length, compressed });
    },
    async close() {},
  };
  await kafkaDeadLetters(sender, 'g')(sizes.map(letterOf), never);
  return requests;
}

function letterOf(bytes: number, index: number): DeadLetter {
  return {
    pipeline: 'p',
    record: {
      topic: 't',
      partition: 0,
      offset: BigInt(index),
      timestampMs: 0,
      key: null,
      value: Buffer.alloc(bytes),
      headers: [],
    },
    rejection: {
      reason: 'undecodable',
      errorClass: 'undecodable',
      message: '',
      attempts: 0,
      firstFailedAtMs: 0,
      lastFailedAtMs: 0,
    },
  };
}

test('dead letters of one delivery go in requests that a topic takes', async () => {
  assert.deepEqual(await requestsFor([]), []);
  assert.deepEqual(await requestsFor([10, 10, 10]), [{ messages: 3, compressed: false }]);
  assert.deepEqual(await requestsFor([300_000, 200_000, 300_000, 10]), [
    { messages: 2, compressed: false },
    { messages: 2, compressed: false },
  ]);
});

test('one that no topic would take as it is goes alone and compressed', async () => {
  assert.deepEqual(await requestsFor([10, 2_000_000, 10]), [
    { messages: 1, compressed: false },
    { messages: 1, compressed: true },
    { messages: 1, compressed: false },
  ]);
});
