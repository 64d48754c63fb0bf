import type { Pool } from './pool.ts';

const take = `
  INSERT INTO maintenance AS m (task, holder, lease_until) VALUES ($1, $2, now() + $3 * interval '1 millisecond')
  ON CONFLICT (task) DO UPDATE SET holder = $2, lease_until = excluded.lease_until
    WHERE m.holder = $2 OR m.lease_until < now()
  RETURNING task`;

/**
 * Takes or renews the lease of a task; false when somebody else holds it. Time is the database's own, so that no two
 * clocks have to agree. A lease only keeps work from being done twice: the work itself has to bear that.
 */
export async function takeLease(pool: Pool, task: string, holder: string, leaseMs: number): Promise<boolean> {
  return (await pool.query(take, [task, holder, leaseMs])).rowCount === 1;
}
