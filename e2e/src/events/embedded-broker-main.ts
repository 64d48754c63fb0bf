import { startBroker } from '@tidemark/broker';
import { sessionTimeoutMsMin } from './event-broker.ts';

/** The embedded broker with short sessions, which `tidemark broker` does not offer: `node … PORT FOLDER`. */
const [port, dataDir = ''] = process.argv.slice(2);
const broker = await startBroker({
  port: Number(port),
  dataDir,
  groups: { initialRebalanceDelayMs: 0, sessionTimeoutMsMin },
});
process.once('SIGTERM', () => void broker.stop().then(() => process.exit(0)));
process.stdout.write(`${broker.address}\n`);
