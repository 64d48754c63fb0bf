import { fileURLToPath } from 'node:url';
import { kafkaDistribution } from '../kafka/distribution.ts';
import { need } from '../availability.ts';
import { tryClient } from './client-suite.ts';

const kafka = await kafkaDistribution('4');
const source = fileURLToPath(new URL('./java/JavaTrial.java', import.meta.url));

await tryClient({
  title: 'the Java client',
  program:
    kafka.skip === false
      ? // Java compiles a program of one file as it starts it. What it logs would be for the eye only.
        { skip: false, value: { command: 'java', args: [...need(kafka).javaArgs, source] } }
      : kafka,
  prefix: 'java',
});
