import { after, before, describe } from 'node:test';
import { killWhileChangesFlow } from '../../src/scenarios/kill.ts';
import { mainJob } from '../../src/scenarios/main-job.ts';
import type { Stack } from '../../src/stack.ts';
import { need } from '../availability.ts';
import { kafkaDistribution } from '../kafka/distribution.ts';
import { kafkaLines } from '../kafka/java.ts';
import { startStackOnKafka } from './stack-on-kafka.ts';

for (const line of kafkaLines) {
  const kafka = await kafkaDistribution(line);
  describe(`the services on Apache Kafka ${kafka.value?.version ?? line}`, { skip: kafka.skip }, () => {
    let stack: Stack;
    before(async () => {
      stack = await startStackOnKafka(need(kafka));
    });
    after(() => stack?.stop());
    // The scenarios share the stack: what one leaves behind must not disturb the other.
    const start = async () => ({ ...stack, stop: async () => {} });
    mainJob({ title: 'a change goes in and comes out', start });
    killWhileChangesFlow({ title: 'kill -9 of capture and consumer while changes flow', start }, [
      'capture',
      'consumer',
    ]);
  });
}
