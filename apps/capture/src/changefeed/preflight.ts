import { TidemarkError } from '@tidemark/kernel';
import type { ClientBase } from 'pg';

/** Something that keeps a changefeed from running, and what to do about it. */
export interface Finding {
  readonly fault: string;
  readonly remedy: string;
}

interface Facts {
  role: string;
  wal_level: string;
  version: number;
  encoding: string;
  can_replicate: boolean;
  can_create: boolean;
  database: string;
  in_recovery: boolean;
  max_slots: number;
  used_slots: number;
  max_senders: number;
  used_senders: number;
}

/** Oldest supported server: the first with logical messages and streaming in pgoutput. */
const versionMin = 140_000;

/**
 * A role may replicate by its attribute, or at a cloud provider by belonging to a role that stands for it
 * (Amazon RDS User Guide, "Performing logical replication for Amazon RDS for PostgreSQL").
 */
const factsQuery = `
  SELECT current_user::text AS role, current_database()::text AS database,
         current_setting('wal_level') AS wal_level, current_setting('server_version_num')::int4 AS version,
         current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS in_recovery,
         (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)
           OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication' AND pg_has_role(oid, 'MEMBER'))
           AS can_replicate,
         has_database_privilege(current_database(), 'CREATE') AS can_create,
         current_setting('max_replication_slots')::int4 AS max_slots,
         (SELECT count(*)::int4 FROM pg_replication_slots) AS used_slots,
         current_setting('max_wal_senders')::int4 AS max_senders,
         (SELECT count(*)::int4 FROM pg_stat_replication) AS used_senders`;

/**
 * Asks the server whether a changefeed can run on it, before anything is created.
 * @param needsSlot true when slot and publication have still to be created
 */
export async function preflight(client: ClientBase, needsSlot: boolean): Promise<readonly Finding[]> {
  const { rows } = await client.query<Facts>(factsQuery);
  const [facts] = rows;
  if (facts === undefined) return [];
  return needsSlot ? [...serverFindings(facts), ...roomFindings(facts)] : serverFindings(facts);
}

/**
 * One line for each finding, with its remedy.
 * @throws TidemarkError `PREFLIGHT_FAILED` when there is any
 */
export function refuseFindings(findings: readonly Finding[], tables: readonly string[] = []): void {
  if (findings.length === 0) return;
  const lines = [...findings.map(({ fault, remedy }) => `${fault}: ${remedy}`), ...tables];
  throw new TidemarkError('PREFLIGHT_FAILED', `the source cannot be captured yet\n${lines.join('\n')}`);
}

function serverFindings(facts: Facts): Finding[] {
  const findings: Finding[] = [];
  const find = (fault: string, remedy: string) => findings.push({ fault, remedy });
  if (facts.version < versionMin) {
    find(`PostgreSQL ${facts.version} is older than 14`, 'upgrade the server to PostgreSQL 14 or newer');
  }
  if (facts.wal_level !== 'logical') {
    find(
      `wal_level is ${facts.wal_level}, not logical`,
      `ALTER SYSTEM SET wal_level = 'logical', and restart the server`,
    );
  }
  if (!facts.can_replicate) {
    find(
      `role "${facts.role}" may not replicate`,
      `ALTER ROLE "${facts.role}" REPLICATION (on Amazon RDS: GRANT rds_replication TO "${facts.role}")`,
    );
  }
  if (facts.encoding === 'SQL_ASCII') {
    find(
      'the database has the encoding SQL_ASCII, so its texts have no known meaning',
      'use a database with the encoding UTF8',
    );
  }
  if (facts.in_recovery) find('the server is a standby', 'connect to the primary');
  return findings;
}

/** What creating a slot and a publication needs. */
function roomFindings(facts: Facts): Finding[] {
  const findings: Finding[] = [];
  if (!facts.can_create) {
    findings.push({
      fault: `role "${facts.role}" may not create a publication in database "${facts.database}"`,
      remedy: `GRANT CREATE ON DATABASE "${facts.database}" TO "${facts.role}"`,
    });
  }
  if (facts.used_slots >= facts.max_slots) {
    findings.push({
      fault: `all ${facts.max_slots} replication slots are taken`,
      remedy: 'drop a slot that nobody needs, or raise max_replication_slots and restart the server',
    });
  }
  if (facts.used_senders >= facts.max_senders) {
    findings.push({
      fault: `all ${facts.max_senders} WAL senders are busy`,
      remedy:
        'end a replication connection that nobody needs, or raise max_wal_senders and restart the server',
    });
  }
  return findings;
}
