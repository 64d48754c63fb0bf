import type { Metrics } from '@tidemark/observability';

/** The shape of a pool (`pg` has it) that the query needs. */
interface SlotReader {
  query(text: string): Promise<{ readonly rows: readonly SlotRow[] }>;
}

interface SlotRow {
  readonly slot_name: string;
  readonly active: boolean;
  readonly wal_status: string | null;
  readonly safe_wal_size: string | null;
  readonly retained: string | null;
}

/** States of the log that a slot needs (PostgreSQL documentation, "pg_replication_slots"). */
const walStates = ['reserved', 'extended', 'unreserved', 'lost'] as const;

const ourSlots = `
  SELECT slot_name, active, wal_status, safe_wal_size,
         pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8 AS retained
    FROM pg_replication_slots
   WHERE database = current_database() AND slot_name LIKE 'tidemark\\_%'`;

/**
 * Shows at each scrape what the database keeps for our slots, also for those of changefeeds that do not run: these are
 * the ones that fill its disk.
 */
export function exposeSlots(metrics: Metrics, database: SlotReader): void {
  const active = metrics.gauge('capture_slot_active_state');
  const retained = metrics.gauge('capture_slot_retained_bytes');
  const safe = metrics.gauge('capture_slot_safe_bytes');
  const states = metrics.gauge('capture_slot_wal_state');
  metrics.beforeScrape(async () => {
    const { rows } = await database.query(ourSlots).catch((error: unknown) => {
      // Values of before the outage would tell of a slot that nobody can see now.
      for (const gauge of [active, retained, safe, states]) gauge.reset();
      throw error;
    });
    for (const gauge of [active, retained, safe, states]) gauge.reset();
    for (const row of rows) {
      const slot = row.slot_name;
      active.set({ slot }, row.active ? 1 : 0);
      retained.set({ slot }, Math.max(0, Number(row.retained ?? 0)));
      if (row.safe_wal_size !== null) safe.set({ slot }, Number(row.safe_wal_size));
      for (const state of walStates) states.set({ slot, state }, state === row.wal_status ? 1 : 0);
    }
  });
}
