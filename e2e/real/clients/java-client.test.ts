import { fileURLToPath } from 'node:url';
import { type Available, available } from '../availability.ts';
import { kafkaDistribution } from '../kafka/distribution.ts';
import { tryClient } from './client-suite.ts';
import type { TrialProgram } from './trial.ts';

const source = fileURLToPath(new URL('./java/JavaTrial.java', import.meta.url));

await tryClient({ title: 'the Java client', program: await javaTrial(), prefix: 'java' });

/** The trial on the client that Kafka's distribution has. Java compiles a program of one file as it starts it. */
async function javaTrial(): Promise<Available<TrialProgram>> {
  const kafka = await kafkaDistribution('4');
  if (kafka.skip !== false) return kafka;
  const { javaArgs } = kafka.value;
  return available('the Java client', ['javac'], async () => ({
    command: 'java',
    args: [...javaArgs, source],
  }));
}
