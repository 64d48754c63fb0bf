import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { changeIndexSink } from '@tidemark/connectors';
import { asDeliveryError, type FailureKind } from '@tidemark/pipeline';
import { batchOf } from './records.ts';

const never = new AbortController().signal;

/** A change whose version exceeds what a JavaScript number holds. */
function change(id: string, commitTs = 464043256649875457n) {
  return {
    changeId: id,
    database: 'sre_app',
    table: 'users',
    type: 'INSERT',
    key: id,
    commitTs,
    committedAtMs: 0,
    capturedAtMs: 0,
    old: null,
    data: { id },
    sql: null,
    traceId: null,
  };
}

/** As much of the Bulk API as the sink relies on: ids, external versions, an error for each document. */
describe('the search index sink', () => {
  const versions = new Map<string, bigint>();
  let status = 200;
  let server: Server;
  let url = '';
  beforeEach(async () => {
    versions.clear();
    status = 200;
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(status === 200 ? answer(Buffer.concat(chunks).toString()) : 'no');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const answer = (body: string): string => {
    const actions = body.split('\n').filter((line, index) => index % 2 === 0 && line !== '');
    const items = actions.map(action => {
      const id = /"_id":"([^"]*)"/.exec(action)?.[1] ?? '';
      const version = BigInt(/"version":(\d+)/.exec(action)?.[1] ?? '0');
      if (id === 'bad')
        return { index: { status: 400, error: { type: 'mapper_parsing_exception', reason: 'no' } } };
      if ((versions.get(id) ?? -1n) >= version) return { index: { status: 409 } };
      versions.set(id, version);
      return { index: { status: 201 } };
    });
    return JSON.stringify({ items });
  };
  const sink = () => changeIndexSink({ url, index: 'changes' });
  const failsWith = (kind: FailureKind) => (error: unknown) => asDeliveryError(error).kind === kind;

  test('documents carry id and exact version, and a repeat is a duplicate', async () => {
    const first = await sink().deliver(batchOf([change('a'), change('b')]), never);
    assert.equal(first.duplicates.size, 0);
    assert.deepEqual(
      [...versions],
      [
        ['a', 464043256649875457n],
        ['b', 464043256649875457n],
      ],
    );
    const second = await sink().deliver(batchOf([change('b'), change('c')], 2n), never);
    assert.deepEqual(second.duplicates, new Set([2n]));
  });

  test('pitfall 13 and 14, an older version never overwrites a newer one', async () => {
    await sink().deliver(batchOf([change('a', 9n)]), never);
    await sink().deliver(batchOf([change('a', 5n)]), never);
    assert.equal(versions.get('a'), 9n);
  });

  test('a document that the index refuses is its own fault; everything else is the sink’s', async () => {
    await assert.rejects(sink().deliver(batchOf([change('bad')]), never), failsWith('permanent'));
    for (const [code, kind] of [
      [429, 'down'],
      [413, 'overloaded'],
      [401, 'down'],
      [503, 'down'],
    ] as const) {
      status = code;
      await assert.rejects(sink().deliver(batchOf([change('a')]), never), failsWith(kind));
    }
    server.closeAllConnections();
    server.close();
    await assert.rejects(sink().deliver(batchOf([change('a')]), never), failsWith('down'));
  });
});
