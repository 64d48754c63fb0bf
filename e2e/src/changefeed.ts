import type { Stack } from './stack.ts';

/** Creates a changefeed through TiCDC's API, as a user would, over the tables that the filter rules name. */
export async function createFeed(stack: Stack, id: string, rules: readonly string[]): Promise<void> {
  const parameters = 'protocol=canal-json&enable-tidb-extension=true&partition-num=3';
  const response = await fetch(`${stack.http('capture')}/api/v2/changefeeds`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      changefeed_id: id,
      sink_uri: `kafka://${stack.brokers}/tidb_cdc?${parameters}`,
      replica_config: {
        // Tables without a primary key are taken too, when their replica identity is the whole row.
        force_replicate: true,
        filter: { rules },
        sink: { dispatchers: [{ matcher: ['*.*'], partition: 'index-value' }] },
      },
    }),
  });
  if (!response.ok)
    throw new Error(`the changefeed was answered ${response.status}: ${await response.text()}`);
}
