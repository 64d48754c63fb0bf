import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { type RunningBroker, startBroker } from '@tidemark/broker';
import { brokerContract } from '../src/broker-contract/index.ts';

const scale = {
  members: Number(process.env['TIDEMARK_CONTRACT_MEMBERS'] ?? 50),
  seed: Number(process.env['TIDEMARK_CONTRACT_SEED'] ?? Date.now() % 1_000_000),
};

/** A broker that runs elsewhere, such as Apache Kafka: `TIDEMARK_CONTRACT_BROKER=127.0.0.1:9092 node --test …`. */
const elsewhere = process.env['TIDEMARK_CONTRACT_BROKER'];

if (elsewhere !== undefined) {
  describe(`broker contract: ${elsewhere}`, () => brokerContract({ address: () => elsewhere }, scale));
} else {
  for (const mode of ['in memory', 'on disk'] as const) {
    describe(`broker contract: embedded, ${mode}`, () => {
      let broker: RunningBroker;
      let folder: string;
      before(async () => {
        folder = await mkdtemp(join(tmpdir(), 'tidemark-contract-'));
        broker = await startBroker(mode === 'on disk' ? { dataDir: folder } : {});
      });
      after(async () => {
        await broker.stop();
        await rm(folder, { recursive: true });
      });
      // One large group is enough: it is the coordinator's business, which knows no disk.
      const members = mode === 'on disk' ? Math.min(8, scale.members) : scale.members;
      brokerContract({ address: () => broker.address }, { ...scale, members });
    });
  }
}
