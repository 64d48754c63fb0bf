import { sessionTimeoutMsMin } from '../../src/events/event-broker.ts';
import { eventsUnderFire } from '../../src/scenarios/events-under-fire.ts';
import { need } from '../availability.ts';
import { kafkaDistribution } from '../kafka/distribution.ts';
import { startKafka } from '../kafka/server.ts';

const kafka = await kafkaDistribution('4');
const settings = {
  'group.min.session.timeout.ms': sessionTimeoutMsMin,
  // A broker that was killed is let in again once its old session is over: 9 s by default.
  'broker.session.timeout.ms': 1500,
  'broker.heartbeat.interval.ms': 300,
};
eventsUnderFire({
  title: `review events under fire on Apache Kafka ${kafka.value?.version ?? '4'}`,
  skip: kafka.skip,
  startBroker: () => startKafka(need(kafka), { properties: settings }),
});
