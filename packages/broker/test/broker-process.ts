import { describeError } from '@tidemark/kernel';
import { startBroker } from '../src/index.ts';

/** A broker in a process of its own, for tests that kill it. Arguments: data folder, fsync policy, segment bytes. */
const [dataDir = '', fsync = 'os', segmentBytes = '67108864'] = process.argv.slice(2);

const broker = await startBroker({
  dataDir,
  fsync: fsync as 'os' | 'interval' | 'group',
  fsyncIntervalMs: 20,
  defaultPartitions: 3,
  limits: { journalBytesMax: 2000 },
  topicDefaults: { 'segment.bytes': segmentBytes },
  logger: {
    info() {},
    warn: (facts, message) => process.send?.({ kind: 'warning', message, facts: JSON.stringify(facts) }),
    error: (facts, message) =>
      process.send?.({ kind: 'error', message, facts: describeError(facts['error']) }),
  },
});
process.send?.({ kind: 'ready', port: broker.port });
process.on('disconnect', () => process.exit(0)); // the test is gone
