import { type Clock, describeError } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import { PgoutputReader, type Relation } from '../protocol/pgoutput.ts';
import type { ReplicationConnection } from '../protocol/replication-connection.ts';
import type { Keepalive } from '../protocol/wal-frame.ts';
import { ChangeEncoder } from '../stream/change-encoder.ts';
import { Checkpointer } from '../stream/checkpointer.ts';
import { CommitClock } from '../stream/commit-clock.ts';
import { deliver } from '../stream/delivery.ts';
import { FrameFeed } from '../stream/frame-feed.ts';
import { type Batch, Outbox, type OutboxBounds } from '../stream/outbox.ts';
import type { ChangeSink } from '../stream/sink.ts';
import { Watermarks } from '../stream/watermarks.ts';
import { primaryKeyOf } from '../tables/catalog.ts';
import { type TableRules, type TableShape, tableShape } from '../tables/table-shape.ts';
import type { Changefeed } from './changefeed.ts';
import type { ChangefeedStore } from './changefeed-store.ts';
import type { FeedMetrics } from './feed-metrics.ts';
import type { FeedStatus } from './feed-status.ts';
import { publishTables } from './publication.ts';
import { resourceName } from './replication-slot.ts';
import type { KafkaSinkUri } from './sink-uri.ts';
import {
  applicationName,
  currentSelection,
  openSourceSession,
  prepareSlot,
  type SourceSession,
  streamSlot,
} from './source-session.ts';
import { tableRules } from './table-rules.ts';

export interface FeedSettings {
  readonly outbox: OutboxBounds;
  /** Least time between two checkpoints, milliseconds. */
  readonly checkpointIntervalMs: number;
  /** Time between two reports to the server and looks at the catalog, milliseconds. */
  readonly housekeepingMs: number;
  /** Least time between two watermarks, milliseconds. */
  readonly watermarkMs: number;
  /** Log without changes for us that gathers before the slot is moved over it, bytes. */
  readonly idleAdvanceBytes: bigint;
}

export const feedSettings: FeedSettings = {
  outbox: { bytesMax: 16 * 1024 * 1024, batchMessagesMax: 2000, batchBytesMax: 768 * 1024 },
  checkpointIntervalMs: 250,
  housekeepingMs: 10_000,
  watermarkMs: 1000,
  idleAdvanceBytes: 64n * 1024n,
};

export interface FeedSessionOptions {
  readonly changefeed: Changefeed;
  readonly sinkUri: KafkaSinkUri;
  readonly sourceUrl: string;
  readonly sink: ChangeSink;
  readonly store: ChangefeedStore;
  readonly status: FeedStatus;
  readonly metrics: FeedMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: FeedSettings;
  /** Called once the slot is streamed. */
  readonly onStreaming: () => void;
}

/**
 * Streams a changefeed until the signal aborts or something fails. On abort it finishes the batch under way, stores
 * and confirms the checkpoint, and resolves; on failure it leaves everything as a crash would and rejects.
 */
export async function runFeedSession(options: FeedSessionOptions, signal: AbortSignal): Promise<void> {
  const { changefeed, sourceUrl, sink } = options;
  const source = await openSourceSession(sourceUrl, changefeed.id);
  try {
    // The slot comes first: what is committed from now on waits in it, also while the broker is away.
    const startLsn = await prepareSlot(source, changefeed);
    const initial = { lsn: startLsn, commitTs: changefeed.checkpointTs };
    if (changefeed.checkpointLsn === null) await options.store.setCheckpoint(changefeed.id, initial);
    await openSink(options);
    signal.throwIfAborted();
    await new FeedSession(options, source, initial).run(signal);
  } finally {
    options.status.streaming = false;
    await source.close();
    await sink.close();
  }
}

async function openSink({ sink, status }: FeedSessionOptions): Promise<void> {
  try {
    await sink.open();
    status.sinkError = undefined;
  } catch (error) {
    status.sinkError = describeError(error);
    throw error;
  }
}

/** The stages of one session, wired: frames → pgoutput → encoder → outbox → sink → checkpoint. */
class FeedSession {
  readonly #options: FeedSessionOptions;
  readonly #source: SourceSession;
  readonly #outbox: Outbox;
  readonly #encoder: ChangeEncoder;
  readonly #feed: FrameFeed;
  readonly #checkpointer: Checkpointer;
  readonly #commitClock: CommitClock;
  readonly #shapes = new Map<number, TableShape>();
  readonly #typeNames = new Map<number, string>();
  readonly #rules: TableRules;
  readonly #ending = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  #replication: ReplicationConnection | undefined;
  #startLsn: bigint;
  #inFlight = false;
  #lastFrameMs = 0;

  constructor(
    options: FeedSessionOptions,
    source: SourceSession,
    initial: { readonly lsn: bigint; readonly commitTs: bigint },
  ) {
    const { changefeed, clock, settings, store, sinkUri } = options;
    this.#options = options;
    this.#source = source;
    this.#startLsn = initial.lsn;
    this.#failed.promise.catch(() => {});
    const onFailure = (error: unknown) => this.#failed.reject(error);
    this.#outbox = new Outbox(settings.outbox, () => this.#resumeIfPossible());
    this.#commitClock = new CommitClock(initial.commitTs);
    this.#checkpointer = new Checkpointer({
      initial,
      store: checkpoint => store.setCheckpoint(changefeed.id, checkpoint),
      confirm: lsn => this.#replication?.confirm(lsn, false),
      intervalMs: settings.checkpointIntervalMs,
      clock,
      onFailure,
    });
    this.#rules = tableRules(changefeed.config, changefeed.maskKey);
    const watermarks = new Watermarks({
      partitions: sinkUri.partitions,
      intervalMs: settings.watermarkMs,
      clock,
      newest: () => this.#commitClock.newest,
      isInTransaction: () => this.#encoder.inTransaction,
      emit: message => this.#outbox.push(message),
      signal: this.#ending.signal,
    });
    this.#encoder = new ChangeEncoder({
      changefeed: changefeed.id,
      partitions: sinkUri.partitions,
      tidbExtension: sinkUri.tidbExtension,
      clock: this.#commitClock,
      now: () => clock.now(),
      shapeOf: oid => this.#shapes.get(oid),
      onRelation: relation => this.#describe(relation),
      onType: type => void this.#typeNames.set(type.oid, type.name),
      emit: entry => this.#outbox.push(entry),
      // Without the extension a watermark would have nowhere to stand.
      onCommitted: () => (sinkUri.tidbExtension ? watermarks.committed() : undefined),
    });
    this.#feed = new FrameFeed({
      reader: new PgoutputReader(this.#encoder),
      onKeepalive: keepalive => this.#keepalive(keepalive),
      onFailure,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { changefeed, sourceUrl, clock, status, sink, random, onStreaming } = this.#options;
    const name = resourceName(changefeed.id);
    this.#replication = await streamSlot(
      this.#source,
      {
        url: sourceUrl,
        applicationName: applicationName(changefeed.id),
        slot: name,
        publication: name,
        startLsn: this.#startLsn,
        onFrame: frame => this.#takeFrame(frame),
        now: () => clock.now(),
      },
      clock,
      signal,
    );
    const stop = AbortSignal.any([signal, this.#ending.signal]);
    const delivery = deliver(
      {
        outbox: this.#outbox,
        sink,
        clock,
        random,
        onTaken: () => void (this.#inFlight = true),
        onAcknowledged: batch => this.#acknowledged(batch),
        onTrouble: error => this.#sinkTrouble(error),
        onRecovered: () => this.#sinkRecovered(),
      },
      stop,
    );
    status.streaming = true;
    onStreaming();
    try {
      await Promise.race([
        delivery,
        this.#replication.ended.then(() =>
          Promise.reject(new Error('the server ended the replication stream')),
        ),
        this.#source.lost,
        this.#failed.promise,
        this.#keepHouse(stop),
      ]);
      // Asked to stop: the batch under way settles, and what it reached is stored and confirmed.
      await delivery;
      await this.#checkpointer.flush();
    } finally {
      this.#ending.abort();
      await delivery.catch(() => {});
      await this.#replication.close();
    }
  }

  #takeFrame(frame: Buffer): void {
    this.#lastFrameMs = this.#options.clock.monotonic();
    this.#feed.take(frame);
    const { status } = this.#options;
    status.outboxBytes = this.#outbox.bytes;
    if (!this.#outbox.isEmpty) status.idleAtMs = undefined;
    if (this.#outbox.isFull) this.#replication?.pause();
  }

  #resumeIfPossible(): void {
    if (this.#outbox.isFull || this.#feed.isHeld) return;
    this.#replication?.resume();
  }

  /** A table is described anew. With a full row as identity only the catalog knows the primary key. */
  #describe(relation: Relation): void {
    if (relation.replicaIdentity !== 'f') {
      this.#shape(relation, null);
      return;
    }
    this.#replication?.pause();
    const look = this.#source
      .use(client => primaryKeyOf(client, relation.oid))
      .then(key => this.#shape(relation, key));
    this.#feed.holdUntil(look, () => this.#resumeIfPossible());
  }

  #shape(relation: Relation, primaryKey: readonly string[] | null): void {
    const { databaseName } = this.#source;
    const typeNames = this.#typeNames;
    const shape = tableShape({ ...this.#rules, databaseName, relation, primaryKey, typeNames });
    this.#shapes.set(relation.oid, shape);
  }

  #keepalive({ endLsn, replyRequested }: Keepalive): void {
    const { status, settings, clock } = this.#options;
    status.serverLsn = endLsn;
    const isIdle = this.#outbox.isEmpty && !this.#inFlight && !this.#encoder.inTransaction;
    status.idleAtMs = isIdle ? clock.now() : undefined;
    if (isIdle) {
      if (endLsn > status.reachedLsn) status.reachedLsn = endLsn;
      if (endLsn - this.#checkpointer.confirmedLsn >= settings.idleAdvanceBytes) {
        this.#checkpointer.reached({ lsn: endLsn, commitTs: this.#commitClock.newest });
      }
    }
    if (replyRequested) this.#replication?.confirm(this.#checkpointer.confirmedLsn, false);
  }

  #acknowledged(batch: Batch): void {
    const { status, metrics, changefeed } = this.#options;
    this.#inFlight = false;
    status.outboxBytes = this.#outbox.bytes;
    metrics.acknowledged(changefeed.id, batch);
    const mark = batch.marks.at(-1);
    if (mark === undefined) return;
    status.checkpointTs = mark.commitTs;
    if (mark.endLsn > status.reachedLsn) status.reachedLsn = mark.endLsn;
    const commitMs = batch.marks.findLast(each => each.commitMs !== undefined)?.commitMs;
    if (commitMs !== undefined) status.acknowledgedMs = commitMs;
    this.#checkpointer.reached({ lsn: mark.endLsn, commitTs: mark.commitTs });
  }

  #sinkTrouble(error: unknown): void {
    const { status, logger, changefeed } = this.#options;
    const reason = describeError(error);
    if (status.sinkError === undefined) {
      logger.warn({ changefeed: changefeed.id, error: reason }, 'the broker takes no changes; trying again');
    }
    status.sinkError = reason;
    status.state = 'warning';
  }

  #sinkRecovered(): void {
    const { status, logger, changefeed } = this.#options;
    status.sinkError = undefined;
    status.state = 'normal';
    logger.info({ changefeed: changefeed.id }, 'the broker takes changes again');
  }

  /** Reports to the server, notices a peer that vanished, and publishes tables that have appeared. */
  async #keepHouse(signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#options;
    this.#lastFrameMs = clock.monotonic();
    for (;;) {
      await clock.sleep(settings.housekeepingMs, signal).catch(() => {});
      if (signal.aborted) return;
      // The answer that we ask for tells that the server lives, and how far its log has come.
      this.#replication?.confirm(this.#checkpointer.confirmedLsn, true);
      const silentMs = clock.monotonic() - this.#lastFrameMs;
      if (!this.#outbox.isFull && silentMs > settings.housekeepingMs * 6) {
        throw new Error(`the server has been silent for ${Math.round(silentMs / 1000)} s`);
      }
      await this.#refreshPublication();
    }
  }

  async #refreshPublication(): Promise<void> {
    const { changefeed, logger } = this.#options;
    const { use, databaseName } = this.#source;
    try {
      const tables = await use(async client => {
        const selection = await currentSelection(client, databaseName, changefeed);
        const changed = await publishTables(client, resourceName(changefeed.id), selection.tables);
        return changed ? selection.tables : undefined;
      });
      if (tables === undefined) return;
      const names = tables.map(table => `${table.schema}.${table.name}`);
      logger.info({ changefeed: changefeed.id, tables: names }, 'the captured tables changed');
    } catch (error) {
      logger.warn(
        { changefeed: changefeed.id, error: describeError(error) },
        'cannot refresh the publication',
      );
    }
  }
}
