import { LagReader, type PartitionLag } from '@tidemark/connectors';
import { type Clock, describeError } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import type { HostedPipeline } from './host.ts';

/** What was seen of a pipeline at the last sample. */
export interface LagSample {
  readonly partitions: readonly PartitionLag[];
  /** Records dealt with a second since the sample before; null until there were two. */
  readonly ratePerSec: number | null;
}

/** Longest time to the next sample after one that failed: a start or an outage should not leave a long gap. */
const retryMs = 2000;
const intervalMsMin = 100;

/** Looks at the lag of every pipeline's group again and again. A broker that does not answer leaves the last sample. */
export class LagSampler {
  readonly #reader: LagReader;
  readonly #hosted: readonly HostedPipeline[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #intervalMs: number;
  readonly #samples = new Map<string, LagSample>();
  readonly #seen = new Map<string, { readonly records: number; readonly atMs: number }>();
  readonly #stopped = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(
    reader: LagReader,
    hosted: readonly HostedPipeline[],
    clock: Clock,
    logger: Logger,
    intervalMs: number,
  ) {
    this.#reader = reader;
    this.#hosted = hosted;
    this.#clock = clock;
    this.#logger = logger;
    this.#intervalMs = Math.max(intervalMsMin, intervalMs);
  }

  sampleOf(pipeline: string): LagSample | undefined {
    return this.#samples.get(pipeline);
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    await this.#reader.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const complete = await this.#sampleAll();
      const pauseMs = complete ? this.#intervalMs : Math.min(retryMs, this.#intervalMs);
      await this.#clock.sleep(pauseMs, signal).catch(() => {});
    }
  }

  async #sampleAll(): Promise<boolean> {
    let complete = true;
    for (const hosted of this.#hosted) {
      try {
        const partitions = await this.#reader.readWithAge(hosted.group, [hosted.topic]);
        this.#samples.set(hosted.name, { partitions, ratePerSec: this.#rate(hosted) });
      } catch (error) {
        complete = false;
        this.#logger.debug(
          { pipeline: hosted.name, error: describeError(error) },
          'lag could not be sampled',
        );
      }
    }
    return complete;
  }

  #rate({ name, pipeline }: HostedPipeline): number | null {
    const now = { records: pipeline.status().counts.read, atMs: this.#clock.monotonic() };
    const before = this.#seen.get(name);
    this.#seen.set(name, now);
    if (!before) return null;
    return ((now.records - before.records) / (now.atMs - before.atMs)) * 1000;
  }
}
