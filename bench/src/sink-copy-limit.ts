import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IdOrder, reviewEvent } from './sink-events.ts';

const rowsPerTransaction = 10_000;
const connections = 2;

export interface Rows {
  /** Number of the first event. */
  readonly first: number;
  readonly events: number;
  readonly ids: IdOrder;
}

/** What `psql` reaches with COPY into both tables, 10,000 rows a transaction, without any bookkeeping. Events a second. */
export async function copyRows(databaseUrl: string, { first, events, ids }: Rows): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  try {
    const share = Math.floor(events / connections);
    const scripts = await Promise.all(
      Array.from({ length: connections }, (_, number) =>
        writeScript(join(folder, `${number}.sql`), { first: first + number * share, events: share, ids }),
      ),
    );
    const startedMs = performance.now();
    await Promise.all(scripts.map(script => runScript(databaseUrl, script)));
    return ((share * connections) / (performance.now() - startedMs)) * 1000;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeScript(file: string, { first, events, ids }: Rows): Promise<string> {
  const commands: string[] = [];
  for (let done = 0; done < events; done += rowsPerTransaction) {
    const rows = Array.from({ length: Math.min(rowsPerTransaction, events - done) }, (_, index) =>
      reviewEvent(first + done + index, ids),
    );
    const marks = rows.map(event => `${event.event_id}\n`).join('');
    const reviews = rows
      .map(
        ({ key, ts, payload }) => `${payload.review_id}\t${key}\t${payload.rating}\t${payload.text}\t${ts}\n`,
      )
      .join('');
    commands.push(
      'BEGIN;\nCOPY processed_events (event_id) FROM STDIN;\n',
      `${marks}\\.\n`,
      'COPY reviews (review_id, user_key, rating, text, created_at) FROM STDIN;\n',
      `${reviews}\\.\nCOMMIT;\n`,
    );
  }
  await writeFile(file, commands.join(''));
  return file;
}

async function runScript(databaseUrl: string, script: string): Promise<void> {
  const psql = spawn('psql', ['-q', '-v', 'ON_ERROR_STOP=1', '-f', script, databaseUrl], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(psql, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`psql ended with ${code}`);
}
