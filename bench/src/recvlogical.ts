import type { TestPostgres } from '@tidemark/testkit';
import { measureOk } from './commands.ts';

/** Seconds that PostgreSQL's own client takes to read a slot to its end, and to throw everything away. */
export async function receiveLogically(postgres: TestPostgres, slot: string): Promise<number> {
  const [row] = await postgres.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  const program = process.env['PG_RECVLOGICAL'] ?? '/usr/lib/postgresql/15/bin/pg_recvlogical';
  const args = ['--start', `--slot=${slot}`, `--endpos=${row?.lsn ?? ''}`, '--file=/dev/null', '--no-loop'];
  const plugin = ['--option=proto_version=1', '--option=publication_names=recv'];
  const { tookMs } = await measureOk(program, [...args, ...plugin, `--dbname=${postgres.url}`], '/');
  await postgres.query('SELECT pg_drop_replication_slot($1)', [slot]);
  return tookMs / 1000;
}
