import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { seededRandom, systemClock } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { AccountBook } from '../account-book.ts';
import { type CaptureRig, startCaptureRig, victims } from '../capture-rig.ts';
import { findProgram, runOk, skipWithout } from '../programs.ts';
import { readChanges, rebuilt, type TopicChange } from '../rebuilt-topic.ts';
import { everyMessage } from '../topic-reader.ts';

export interface CaptureKills {
  /** How often one of the three is killed at random. */
  readonly kills: number;
  /** How long pgbench writes at full speed. */
  readonly pgbenchSeconds: number;
  readonly seed: number;
}

/** Tables rebuilt from the topic equal the source, whatever was killed on the way. */
export function capturedThroughKills({ kills, pgbenchSeconds, seed }: CaptureKills): void {
  describe(`capture through kills (TEST_SEED=${seed})`, { timeout: 280_000 }, () => {
    const random = seededRandom(seed);
    let rig: CaptureRig;
    before(async () => {
      rig = await startCaptureRig();
      await rig.postgres.query('CREATE TABLE finish (id int PRIMARY KEY)');
    });
    after(() => rig?.stop());

    /** Writes a row and reads the topic until it has come. */
    async function readUntilFinish(topic: string): Promise<ReturnType<typeof readChanges>> {
      const [row] = await rig.postgres.query<{ id: number }>(
        'INSERT INTO finish SELECT coalesce(max(id), 0) + 1 FROM finish RETURNING id',
      );
      return eventually(
        'the last row has come',
        async () => {
          const read = readChanges(await everyMessage(rig.brokers, topic));
          return rebuilt(read.changes, 'finish').has(String(row?.id)) && read;
        },
        { withinMs: 120_000, everyMs: 500 },
      );
    }

    /**
     * Everything that was written until now. The first row may be seen while other partitions still lack what was sent
     * with it; the second is sent only once all of that is acknowledged.
     */
    async function changesUpToNow(topic: string): Promise<ReturnType<typeof readChanges>> {
      await readUntilFinish(topic);
      return readUntilFinish(topic);
    }

    test(`${kills} kills of capture, broker and database at random moments`, async t => {
      const book = new AccountBook(rig.postgres, random);
      await book.open();
      await rig.createFeed('kills', ['sre_app.accounts', 'sre_app.entries', 'sre_app.finish']);
      const working = new AbortController();
      const work = book.writeUntil(working.signal);
      try {
        for (let kill = 0; kill < kills; kill += 1) {
          // The moment is what is left to chance here; nothing is waited for.
          await systemClock.sleep(100 + random() * 900);
          const victim = victims[Math.floor(random() * victims.length)] ?? 'capture';
          await rig.kill(victim);
          t.diagnostic(`killed ${victim}`);
        }
      } finally {
        working.abort();
        await work;
      }
      const { changes, repeats } = await changesUpToNow('kills');
      t.diagnostic(`${changes.length} changes, ${repeats} messages repeated`);
      for (const table of ['accounts', 'entries']) {
        assert.deepEqual(rebuilt(changes, table), await book.rows(table), table);
      }
    });

    test(`pgbench for ${pgbenchSeconds} s while capture is killed every few seconds`, {
      skip: skipWithout('pgbench'),
    }, async t => {
      const pgbench = (...args: string[]) =>
        runOk(findProgram('pgbench') ?? 'pgbench', [...args, rig.postgres.url], { withinMs: 180_000 });
      await pgbench('--initialize', '--quiet', '--scale=1');
      await rig.postgres.query('ALTER TABLE pgbench_history REPLICA IDENTITY FULL');
      await rig.createFeed('pgbench', ['sre_app.pgbench_*', 'sre_app.finish']);
      const bench = pgbench(`--time=${pgbenchSeconds}`, '--client=4', '--jobs=1', '--no-vacuum');
      let killed = 0;
      const ended = bench.then(() => true);
      while (!(await Promise.race([ended, systemClock.sleep(1500 + random() * 1500)]))) {
        await rig.kill('capture');
        killed += 1;
      }
      const { changes, repeats } = await changesUpToNow('pgbench');
      const transactions = Number(/actually processed: (\d+)/.exec(await bench)?.[1]);
      t.diagnostic(`${transactions} transactions, ${killed} kills, ${repeats} messages repeated`);
      assert.ok(killed > 0);
      await comparePgbench(rig, changes, transactions);
    });
  });
}

/** Rows that never changed have the balance 0 and no message. */
async function comparePgbench(
  rig: CaptureRig,
  changes: readonly TopicChange[],
  transactions: number,
): Promise<void> {
  const tables = [
    ['pgbench_accounts', 'aid', 'abalance'],
    ['pgbench_tellers', 'tid', 'tbalance'],
    ['pgbench_branches', 'bid', 'bbalance'],
  ] as const;
  for (const [table, key, balance] of tables) {
    const rows = await rig.postgres.query<{ key: string; row: Record<string, string | null> }>(
      `SELECT ${key}::text AS key, jsonb_build_object('${key}', ${key}::text, '${balance}', ${balance}::text) AS row
         FROM ${table}`,
    );
    const told = rebuilt(changes, table);
    for (const { key: id, row } of rows) {
      const found = told.get(id);
      const said = { [key]: found?.[key] ?? id, [balance]: found?.[balance] ?? '0' };
      assert.deepEqual(said, row, `${table} ${id}`);
    }
  }
  const entry = (row: Readonly<Record<string, unknown>>) =>
    ['tid', 'bid', 'aid', 'delta', 'mtime'].map(name => String(row[name])).join();
  const history = await rig.postgres.query(
    `SELECT tid, bid, aid, delta, to_char(mtime, 'YYYY-MM-DD HH24:MI:SS.US') AS mtime FROM pgbench_history`,
  );
  const told = changes.filter(({ table }) => table === 'pgbench_history').map(({ row }) => entry(row));
  assert.equal(told.length, transactions);
  assert.deepEqual(
    told.toSorted((a, b) => (a < b ? -1 : 1)),
    history.map(entry).toSorted((a, b) => (a < b ? -1 : 1)),
  );
}
