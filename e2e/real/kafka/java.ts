import { type ChildProcess, spawn } from 'node:child_process';
import { type RunOptions, type RunResult, run } from '../../src/programs.ts';

/** Version lines of Apache Kafka that are tried; each has a folder here with the pom.xml that names the patch. */
export const kafkaLines = ['3.9', '4'] as const;

export type KafkaLine = (typeof kafkaLines)[number];

/** Apache Kafka's jars on this machine. */
export interface KafkaDistribution {
  readonly line: KafkaLine;
  readonly version: string;
  /** Arguments for `java` that come before a main class. */
  readonly javaArgs: readonly string[];
}

/** Short-lived programs gain nothing from the optimising compiler, and start a third faster without it. */
const shortLived = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m'];

/** Runs one of Kafka's programs by its main class. */
export function runJava(
  { javaArgs }: KafkaDistribution,
  mainClass: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return run('java', [...shortLived, ...javaArgs, mainClass, ...args], { withinMs: 60_000, ...options });
}

/** Runs one of Kafka's programs that must succeed; answers what it printed. */
export async function runJavaOk(
  kafka: KafkaDistribution,
  mainClass: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runJava(kafka, mainClass, args, options);
  if (code !== 0) throw new Error(`${mainClass} ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Starts one of Kafka's programs, for a caller that reads its output and ends it. */
export function startJava(
  { javaArgs }: KafkaDistribution,
  mainClass: string,
  args: readonly string[],
): ChildProcess {
  return spawn('java', [...shortLived, ...javaArgs, mainClass, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
