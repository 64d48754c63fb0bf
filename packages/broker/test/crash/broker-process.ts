import { describeError } from '@tidemark/kernel';
import { startBroker } from '../../src/index.ts';
import { nodeDisk } from '../../src/storage/node-disk.ts';
import type { ProcessPlan } from './broker-child.ts';
import { armDisk } from './kill-points.ts';

/** A broker in a process of its own, for tests that kill it. Its plan is the only argument. */
const plan = JSON.parse(process.argv[2] ?? '{}') as ProcessPlan;
if (plan.kill) armDisk(nodeDisk, plan.kill);

const broker = await startBroker({
  dataDir: plan.folder,
  fsync: plan.fsync,
  fsyncIntervalMs: 20,
  defaultPartitions: 3,
  limits: { journalBytesMax: 2000 },
  topicDefaults: { 'segment.bytes': String(plan.segmentBytes) },
  logger: {
    info() {},
    warn: (facts, message) => process.send?.({ kind: 'warning', message, facts: JSON.stringify(facts) }),
    error: (facts, message) =>
      process.send?.({ kind: 'error', message, facts: describeError(facts['error']) }),
  },
});
process.send?.({ kind: 'ready', port: broker.port });
process.on('disconnect', () => process.exit(0)); // the test is gone
