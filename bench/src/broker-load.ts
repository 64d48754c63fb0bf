import { systemClock } from '@tidemark/kernel';
import { Lane, type Traffic } from './broker-lane.ts';
import { cpuSecondsOf } from './broker-process.ts';

/** One measurement of one side. */
export interface Load {
  readonly megabytesPerSec: number;
  readonly answersPerSec: number;
  /** Share of one core that the broker used, and that the client used. */
  readonly brokerCpu: number;
  readonly clientCpu: number;
}

export interface Window {
  /** Not measured: until connections are made and caches are what they will be. */
  readonly rampMs: number;
  readonly windowMs: number;
}

/** Runs every traffic on a connection of its own, with `depth` requests under way on each. */
export async function measure(
  { port, pid }: { readonly port: number; readonly pid: number },
  traffics: readonly Traffic[],
  depth: number,
  { rampMs, windowMs }: Window,
): Promise<Load> {
  const lanes = traffics.map(traffic => new Lane(port, depth, traffic));
  const whileRunning = <T>(work: Promise<T>) => Promise.race([work, ...lanes.map(lane => lane.failure)]);
  const now = async () => ({
    ms: performance.now(),
    answers: lanes.reduce((sum, lane) => sum + lane.answers, 0),
    bytes: lanes.reduce((sum, lane) => sum + lane.bytes, 0),
    cpu: await cpuSecondsOf(pid),
    clientCpu: process.cpuUsage().user + process.cpuUsage().system,
  });
  await whileRunning(systemClock.sleep(rampMs));
  const from = await now();
  await whileRunning(systemClock.sleep(windowMs));
  const to = await now();
  await whileRunning(Promise.all(lanes.map(lane => lane.stop())));
  const seconds = (to.ms - from.ms) / 1000;
  return {
    megabytesPerSec: (to.bytes - from.bytes) / 1e6 / seconds,
    answersPerSec: (to.answers - from.answers) / seconds,
    brokerCpu: (to.cpu - from.cpu) / seconds,
    clientCpu: (to.clientCpu - from.clientCpu) / 1e6 / seconds,
  };
}

/** Sends until every connection has had `answers` answers. */
export async function fill(
  port: number,
  traffics: readonly Traffic[],
  depth: number,
  answers: number,
): Promise<void> {
  await Promise.all(
    traffics.map(async traffic => {
      const enough = Promise.withResolvers<void>();
      const lane: Lane = new Lane(port, depth, {
        requests: count => traffic.requests(count),
        answered(head) {
          const bytes = traffic.answered(head);
          if (lane.answers >= answers) enough.resolve();
          return bytes;
        },
      });
      await Promise.race([enough.promise, lane.failure]);
      await lane.stop();
    }),
  );
}
