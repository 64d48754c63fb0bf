import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Available, available } from '../availability.ts';
import { cached, download } from '../cache.ts';
import { classArchive } from './class-archive.ts';
import type { KafkaDistribution, KafkaLine } from './java.ts';

/** Fetches Apache Kafka from Maven Central, once. */
export function kafkaDistribution(line: KafkaLine): Promise<Available<KafkaDistribution>> {
  return available(`Apache Kafka ${line}`, ['java', 'mvn'], async () => {
    const pom = fileURLToPath(new URL(`./${line}/pom.xml`, import.meta.url));
    const version = /<kafka\.version>([^<]+)</.exec(await readFile(pom, 'utf8'))?.[1];
    if (version === undefined) throw new Error(`${pom} names no version of Kafka`);
    const folder = await cached(`kafka-${version}`, pom, target =>
      download('mvn', [
        '--batch-mode',
        '--quiet',
        '--file',
        pom,
        'org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${target}`,
      ]),
    );
    const plain = { line, version, javaArgs: ['-cp', join(folder, '*')] };
    return { ...plain, javaArgs: [...(await classArchive(folder, plain)), ...plain.javaArgs] };
  });
}
