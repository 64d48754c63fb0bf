import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { available } from '../availability.ts';
import { cached, download } from '../cache.ts';
import { tryClient } from './client-suite.ts';

const source = fileURLToPath(new URL('./kafka-go/', import.meta.url));

const program = await available('segmentio/kafka-go', ['go'], async () => {
  const cache = await cached('kafka-go', join(source, 'go.sum'), folder =>
    download('go', ['mod', 'download'], { cwd: source, env: { GOMODCACHE: folder, GOFLAGS: '-modcacherw' } }),
  );
  // Built every time: that takes a second, and the program is never older than its source.
  const command = join(cache, 'kafka-go-trial');
  await download('go', ['build', '-o', command, '.'], {
    cwd: source,
    env: { GOMODCACHE: cache, GOFLAGS: '-modcacherw', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' },
  });
  return { command, args: [] };
});

await tryClient({
  title: 'segmentio/kafka-go',
  program,
  prefix: 'go',
  // The library has neither an idempotent nor a transactional producer, nor cooperative rebalances.
  without: ['idempotent', 'transactions', 'cooperative'],
});
