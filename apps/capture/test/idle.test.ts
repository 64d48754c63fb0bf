import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { systemClock } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { Client } from 'pg';
import { parseLsn } from '../src/protocol/lsn.ts';
import { openCaptureBench } from './support/capture-bench.ts';
import { hurriedClock } from './support/hurried-clock.ts';

const hours = 24;
/** Real time that an hour takes, milliseconds. */
const hourMs = 300;
const minuteMs = 60_000;

suite('a database that nobody writes to', () => {
  test('for a day, while others of its server do: the slot advances, and the log is let go', async t => {
    const clock = hurriedClock((60 * minuteMs) / hourMs);
    const bench = await openCaptureBench(
      {
        housekeepingMs: 10 * minuteMs,
        heartbeatMs: 20 * minuteMs,
        checkpointIntervalMs: 1000,
        // The slot follows by heartbeats alone.
        idleAdvanceBytes: 1n << 60n,
      },
      {},
      clock,
    );
    try {
      await bench.create('idle', ['sre_app.users']);
      const positions = await writeElsewhere(bench.postgres.url);
      const first = positions[0];
      const last = positions.at(-1);
      assert.ok(first !== undefined && last !== undefined);
      const moves = positions.filter(
        ({ confirmed }, hour) => confirmed > (positions[hour - 1]?.confirmed ?? 0n),
      );
      t.diagnostic(
        `the slot moved in ${moves.length} of ${hours} hours, by ${last.confirmed - first.confirmed} bytes`,
      );
      assert.ok(moves.length >= hours / 2, `it moved in ${moves.length} hours`);
      const behind = positions.map(({ current, confirmed }) => current - confirmed);
      const written = last.current - first.current;
      assert.ok(
        behind.every(bytes => bytes < written / 2n),
        `behind by ${behind.join(', ')} of ${written} bytes`,
      );
      assert.ok(last.restart > first.restart, 'the server may remove log');
      assert.equal(bench.topic.messages.length, 0);
      await eventually('all is well', () => bench.changefeeds.statuses().get('idle')?.state === 'normal');
    } finally {
      await bench.close();
    }
  });
});

interface Position {
  readonly confirmed: bigint;
  readonly restart: bigint;
  readonly current: bigint;
}

/** Writes to another database of the server, every hour of the day; answers where the slot stood at the end of each. */
async function writeElsewhere(url: string): Promise<readonly Position[]> {
  const elsewhere = new URL(url);
  elsewhere.pathname = '/postgres';
  const client = new Client({ connectionString: elsewhere.href });
  await client.connect();
  try {
    await client.query('CREATE TABLE busy (id int, filler text)');
    const positions: Position[] = [];
    for (let hour = 0; hour < hours; hour += 1) {
      await client.query(`INSERT INTO busy SELECT g, repeat('x', 100) FROM generate_series(1, 500) g`);
      // What the server does by itself every few seconds: without it, it does not know which log a slot needs.
      await client.query('SELECT pg_log_standby_snapshot()');
      await systemClock.sleep(hourMs);
      const { rows } = await client.query<{ confirmed: string; restart: string; current: string }>(
        `SELECT confirmed_flush_lsn::text AS confirmed, restart_lsn::text AS restart,
                pg_current_wal_lsn()::text AS current FROM pg_replication_slots`,
      );
      const [row] = rows;
      if (row !== undefined) {
        positions.push({
          confirmed: parseLsn(row.confirmed),
          restart: parseLsn(row.restart),
          current: parseLsn(row.current),
        });
      }
    }
    return positions;
  } finally {
    await client.end();
  }
}
