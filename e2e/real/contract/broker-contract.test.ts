import { brokerContract } from '@tidemark/testkit/broker-contract';
import { kafkaLines } from '../kafka/java.ts';
import { apacheKafka, embedded, onBroker } from '../targets.ts';

// The suite that the embedded broker has to pass, unchanged, against what it stands for.
const kafkas = await Promise.all(kafkaLines.map(apacheKafka));
const kafka4 = kafkas.at(-1);

for (const target of [embedded, ...kafkas]) {
  onBroker(target, { title: 'the contract of a broker' }, broker => {
    // The large group meets the newest Kafka here, and the embedded broker in the quick suite.
    const members = target === kafka4 ? 50 : 8;
    brokerContract({ address: () => broker().bootstrap }, { members, seed: Date.now() % 1_000_000 });
  });
}
