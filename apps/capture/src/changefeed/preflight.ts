import { TidemarkError } from '@tidemark/kernel';
import type { ClientBase } from 'pg';

interface Facts {
  wal_level: string;
  version: number;
  encoding: string;
  can_replicate: boolean;
  in_recovery: boolean;
  max_slots: number;
  used_slots: number;
}

/** Oldest supported server: the first with logical messages and streaming in pgoutput. */
const versionMin = 140_000;

/**
 * Asks the server whether a changefeed can run on it, before anything is created.
 * @param needsSlot true when a slot has still to be created
 * @throws TidemarkError `PREFLIGHT_FAILED` with everything that is missing, and its remedy
 */
export async function preflight(client: ClientBase, needsSlot: boolean): Promise<void> {
  const { rows } = await client.query<Facts>(
    `SELECT current_setting('wal_level') AS wal_level, current_setting('server_version_num')::int4 AS version,
            current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS in_recovery,
            (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS can_replicate,
            current_setting('max_replication_slots')::int4 AS max_slots,
            (SELECT count(*)::int4 FROM pg_replication_slots) AS used_slots`,
  );
  const [facts] = rows;
  const faults = facts === undefined ? [] : faultsOf(facts, needsSlot);
  if (faults.length > 0) {
    throw new TidemarkError('PREFLIGHT_FAILED', faults.map(([fault]) => fault).join('; '), {
      hint: faults.map(([, remedy]) => remedy).join(' '),
    });
  }
}

function faultsOf(facts: Facts, needsSlot: boolean): [fault: string, remedy: string][] {
  const faults: [string, string][] = [];
  if (facts.version < versionMin) {
    faults.push([
      `PostgreSQL ${facts.version} is older than 14`,
      'Upgrade the server to PostgreSQL 14 or newer.',
    ]);
  }
  if (facts.wal_level !== 'logical') {
    faults.push([
      `wal_level is ${facts.wal_level}, not logical`,
      `Run ALTER SYSTEM SET wal_level = 'logical' and restart the server.`,
    ]);
  }
  if (!facts.can_replicate) {
    faults.push([
      'the user may not replicate',
      'Run ALTER ROLE … REPLICATION as a superuser (rds_replication, or the like, at a cloud provider).',
    ]);
  }
  if (facts.encoding === 'SQL_ASCII') {
    faults.push([
      'the database has the encoding SQL_ASCII, so its texts have no known meaning',
      'Use a database with the encoding UTF8.',
    ]);
  }
  if (facts.in_recovery) {
    faults.push(['the server is a standby', 'Connect to the primary.']);
  }
  if (needsSlot && facts.used_slots >= facts.max_slots) {
    faults.push([
      `all ${facts.max_slots} replication slots are taken`,
      'Drop a slot that nobody needs, or raise max_replication_slots and restart the server.',
    ]);
  }
  return faults;
}
