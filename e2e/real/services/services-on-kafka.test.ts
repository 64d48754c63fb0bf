import { killWhileChangesFlow } from '../../src/scenarios/kill.ts';
import { mainJob } from '../../src/scenarios/main-job.ts';
import { need } from '../availability.ts';
import { kafkaDistribution } from '../kafka/distribution.ts';
import { kafkaLines } from '../kafka/java.ts';
import { startStackOnKafka } from './stack-on-kafka.ts';

for (const line of kafkaLines) {
  const kafka = await kafkaDistribution(line);
  const start = () => startStackOnKafka(need(kafka));
  mainJob({ title: `a change goes in and comes out through Apache Kafka ${line}`, start, skip: kafka.skip });
  killWhileChangesFlow(
    {
      title: `kill -9 of consumer and capture on Apache Kafka ${line} while changes flow`,
      start,
      skip: kafka.skip,
    },
    ['capture', 'consumer', 'capture', 'consumer'],
  );
}
