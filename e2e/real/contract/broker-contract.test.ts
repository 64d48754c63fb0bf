import { brokerContract } from '@tidemark/testkit/broker-contract';
import { kafkaLines } from '../kafka/java.ts';
import { apacheKafka, embedded, onBroker } from '../targets.ts';

// The suite that the embedded broker has to pass, unchanged, against what it stands for.
for (const target of [embedded, ...(await Promise.all(kafkaLines.map(apacheKafka)))]) {
  onBroker(target, { title: 'the contract of a broker' }, broker => {
    brokerContract({ address: () => broker().bootstrap });
  });
}
