import { need } from '../availability.ts';
import { apacheKafka, embedded, onBroker, type Suite, type Target } from '../targets.ts';
import { kafkaDistribution } from './distribution.ts';
import type { KafkaLine } from './java.ts';
import { KafkaTools } from './tools.ts';

/** Which tools meet which broker: ours meets both lines; Apache Kafka meets its own, to prove that the suite is right. */
const meetings: readonly { readonly broker: 'embedded' | KafkaLine; readonly tools: KafkaLine }[] = [
  { broker: 'embedded', tools: '4' },
  { broker: 'embedded', tools: '3.9' },
  { broker: '4', tools: '4' },
];

/** Runs a suite of Kafka's own tools in every meeting, each on a fresh broker. */
export async function withTools(
  { title, concurrency }: Omit<Suite, 'skip'>,
  body: (tools: () => KafkaTools, target: Target) => void,
): Promise<void> {
  for (const { broker, tools } of meetings) {
    const distribution = await kafkaDistribution(tools);
    const target = broker === 'embedded' ? embedded : await apacheKafka(broker);
    onBroker(
      target,
      { title: `${title} of Kafka ${tools}`, skip: distribution.skip, concurrency },
      running => {
        let toolsOfTest: KafkaTools | undefined;
        body(() => (toolsOfTest ??= new KafkaTools(need(distribution), running().bootstrap)), target);
      },
    );
  }
}
