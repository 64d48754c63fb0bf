import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type KafkaDistribution, runJava } from './java.ts';
import { startKafka } from './server.ts';

/**
 * Arguments that let `java` map Kafka's classes from an archive instead of loading and checking them each time (class
 * data sharing, JEP 350): every program starts in half the time. Where the archive cannot be made, programs start
 * slowly, and that is all.
 * @param folder of the jars; the archive stands beside them and holds for this folder and this Java only
 */
export async function classArchive(folder: string, kafka: KafkaDistribution): Promise<readonly string[]> {
  const archive = join(folder, 'classes.jsa');
  if (!(await stat(archive).catch(() => undefined))) await make(archive, kafka);
  return [`-XX:SharedArchiveFile=${archive}`, '-Xshare:auto', '-Xlog:cds=off', '-Xlog:cds+dynamic=off'];
}

/** Notes what a program loads that uses the admin client, a producer and a consumer. */
async function make(archive: string, kafka: KafkaDistribution): Promise<void> {
  const unfinished = `${archive}.unfinished-${process.pid}`;
  const broker = await startKafka(kafka);
  try {
    await runJava(
      { ...kafka, javaArgs: [`-XX:ArchiveClassesAtExit=${unfinished}`, ...kafka.javaArgs] },
      'org.apache.kafka.tools.ClientCompatibilityTest',
      [...compatibilityArgs('archive', { acls: true }), `--bootstrap-server=${broker.bootstrap}`],
    );
    await rename(unfinished, archive).catch(() => {});
  } finally {
    await broker.stop();
  }
}

/**
 * Arguments of Kafka's own test of what a client may expect of a broker of today.
 * @param acls whether the broker knows access control lists at all
 */
export function compatibilityArgs(topic: string, { acls }: { readonly acls: boolean }): readonly string[] {
  return [
    `--topic=${topic}`,
    '--num-cluster-nodes=1',
    '--offsets-for-times-supported=true',
    '--cluster-id-supported=true',
    '--expect-record-too-large-exception=false',
    '--create-topics-supported=true',
    `--describe-acls-supported=${acls}`,
    '--describe-configs-supported=true',
    '--idempotent-producer-supported=true',
  ];
}
