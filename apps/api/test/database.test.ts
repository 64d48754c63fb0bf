import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { type Database, openDatabase } from '../src/store/database.ts';
import { databaseFailure } from '../src/store/database-failure.ts';

describe('the database', () => {
  let postgres: TestPostgres;
  let proxy: Server;
  let database: Database;
  const upstreams = new Set<Socket>();

  before(async () => {
    postgres = await startPostgres();
    proxy = createServer(socket => {
      const upstream = connect(postgres.port, '127.0.0.1');
      upstreams.add(upstream);
      socket.pipe(upstream).pipe(socket);
      socket.on('error', () => upstream.destroy());
      socket.on('close', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
    });
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    const url = new URL(postgres.url);
    url.port = String((proxy.address() as AddressInfo).port);
    database = openDatabase({
      url: url.href,
      poolMax: 1,
      onConnectionLost: () => {},
      statementTimeoutMs: 200,
      answerTimeoutMs: 400,
    });
  });
  after(async () => {
    await database.close();
    proxy.close();
    await postgres.stop();
  });

  const codeOf = (error: unknown) => databaseFailure(error)?.code;

  test('ends statements that take too long, and keeps the connection', async () => {
    await assert.rejects(sql`SELECT pg_sleep(5)`.execute(database.queries), error => {
      assert.equal(codeOf(error), 'QUERY_TIMEOUT');
      return true;
    });
    await database.check();
    assert.equal(upstreams.size, 1);
  });

  test('gives up on a server that has gone silent, and asks the next question over another connection', async () => {
    for (const upstream of upstreams) upstream.pause(); // no answer comes through any more, and no end either
    await assert.rejects(database.check(), error => {
      assert.equal(codeOf(error), 'DATABASE_UNAVAILABLE');
      return true;
    });
    await database.check();
    assert.equal(upstreams.size, 2);
  });
});
