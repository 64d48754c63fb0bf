import {
  type BackoffPolicy,
  backoffDelayMs,
  type Clock,
  deferred,
  errorCode,
  TestSignal,
} from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import type { SnapshotCopier } from '../snapshot/snapshot-copier.ts';
import type { ChangeSink } from '../stream/sink.ts';
import type { Changefeed, ChangefeedError, ChangefeedState } from './changefeed.ts';
import type { ChangefeedStore } from './changefeed-store.ts';
import { explainFailure, isPermanent } from './failures.ts';
import type { FeedMetrics } from './feed-metrics.ts';
import { runFeedSession } from './feed-session.ts';
import type { FeedSettings } from './feed-settings.ts';
import { type FeedStatus, newFeedStatus } from './feed-status.ts';
import { type KafkaSinkUri, parseSinkUri } from './sink-uri.ts';

export interface FeedRunnerOptions {
  readonly changefeedId: string;
  /** The database that keeps the changefeeds; captured by those that name no other. */
  readonly ownUrl: string;
  readonly store: ChangefeedStore;
  readonly makeSink: (sinkUri: KafkaSinkUri, changefeed: string) => ChangeSink;
  readonly metrics: FeedMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: FeedSettings;
  /** Folder of the process for what does not fit into memory. */
  readonly dataDir: string;
}

/** SQLSTATE internal_error. */
const internalError = 'XX000';

const restartPolicy: BackoffPolicy = { baseMs: 250, capMs: 10_000 };

/**
 * Keeps one changefeed running: a session that fails is started again from the stored checkpoint, with back-off, until
 * the changefeed is stopped or fails in a way that only a person can mend.
 */
export class FeedRunner {
  readonly status: FeedStatus;
  /** Emits when the slot is streamed. */
  readonly streaming = new TestSignal<void>();
  readonly #options: FeedRunnerOptions;
  readonly #settled = deferred();
  readonly #stopping = new AbortController();
  #finished: Promise<void> | undefined;
  #copier: SnapshotCopier | undefined;
  /** False from when there was no room for large transactions, or the server failed at them: it keeps them then. */
  #streamsLarge = true;
  #failedBefore: string | undefined;

  constructor(options: FeedRunnerOptions, changefeed: Changefeed) {
    this.#options = options;
    this.status = newFeedStatus('normal', changefeed);
  }

  start(): void {
    this.#finished ??= this.#run().finally(() => this.#settled.resolve());
  }

  /** Resolves once the slot keeps every change from now on, or the first attempt to get there has failed. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Stops after the batch under way; resolves when everything is released. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#finished;
  }

  /** What copies tables, while the slot is streamed. */
  get copier(): SnapshotCopier | undefined {
    return this.status.streaming ? this.#copier : undefined;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const startedMs = clock.monotonic();
      try {
        await this.#session(signal);
        if (signal.aborted) return;
      } catch (error) {
        if (signal.aborted) return;
        if (isPermanent(error)) return await this.#giveUp(error);
        this.#doubtStreaming(errorCode(error));
        this.#warn(error);
      }
      // A session that worked for a while does not count as another failure in a row.
      if (clock.monotonic() - startedMs > restartPolicy.capMs) attempt = 0;
      await clock.sleep(backoffDelayMs(restartPolicy, attempt, random), signal).catch(() => {});
    }
  }

  async #session(signal: AbortSignal): Promise<void> {
    const { store, changefeedId, makeSink, metrics, logger, ownUrl } = this.#options;
    const changefeed = await store.find(changefeedId);
    if (changefeed === undefined) return this.#stopping.abort();
    const sinkUri = parseSinkUri(changefeed.sinkUri);
    await runFeedSession(
      {
        ...this.#options,
        changefeed,
        sourceUrl: changefeed.sourceUri ?? ownUrl,
        sinkUri,
        sink: makeSink(sinkUri, changefeed.id),
        store,
        status: this.status,
        metrics,
        logger,
        streamsLarge: this.#streamsLarge,
        onAnchored: () => this.#settled.resolve(),
        onStreaming: copier => this.#streams(copier),
      },
      signal,
    );
  }

  #streams(copier: SnapshotCopier): void {
    this.#copier = copier;
    this.#show('normal', null);
    this.#options.logger.info({ changefeed: this.#options.changefeedId }, 'capturing changes');
    this.streaming.emit();
  }

  /**
   * Decoding a transaction that has not ended is harder on the server than one that has. Once, it may have met a part
   * while it was rolled back; twice in a row, it would fail there for ever.
   */
  #doubtStreaming(code: string | undefined): void {
    const isInternalAgain = code === internalError && this.#failedBefore === internalError;
    if (code === 'SPOOL_FULL' || isInternalAgain) this.#streamsLarge = false;
    this.#failedBefore = code;
  }

  /** Says each reason once, however long it lasts. */
  #warn(error: unknown): void {
    this.#settled.resolve();
    const shown = this.#shown(error);
    const isNews = shown.message !== this.status.error?.message;
    this.#show('warning', shown);
    if (!isNews) return;
    const { logger, changefeedId } = this.#options;
    logger.warn(
      { changefeed: changefeedId, error: shown.message },
      'the changefeed is interrupted; trying again',
    );
  }

  /** Keeps the failure where a restart of the service finds it. The database may be what failed, so this may too. */
  async #giveUp(error: unknown): Promise<void> {
    const { logger, changefeedId, store } = this.#options;
    const shown = this.#shown(error);
    this.#show('failed', shown);
    logger.error({ changefeed: changefeedId, error: explainFailure(error) }, 'the changefeed has failed');
    try {
      await store.setState(changefeedId, 'failed', shown);
    } catch (unstored) {
      logger.error({ changefeed: changefeedId, error: explainFailure(unstored) }, 'cannot store the failure');
    }
  }

  #show(state: ChangefeedState, error: ChangefeedError | null): void {
    this.status.state = state;
    this.status.error = error;
  }

  #shown(error: unknown): ChangefeedError {
    const code = errorCode(error) ?? 'ErrChangefeedRetryable';
    const time = new Date(this.#options.clock.now()).toISOString();
    return { time, code: `CDC:${code}`, message: explainFailure(error) };
  }
}
