import { randomUUID } from 'node:crypto';
import { PgoutputReader, type Relation } from '../protocol/pgoutput.ts';
import type { ReplicationConnection } from '../protocol/replication-connection.ts';
import type { Keepalive } from '../protocol/wal-frame.ts';
import { ChunkReader } from '../snapshot/chunk-reader.ts';
import { RowLookup } from '../snapshot/row-lookup.ts';
import { SnapshotCopier } from '../snapshot/snapshot-copier.ts';
import type { TableCopy } from '../snapshot/table-copy.ts';
import { ChangeEncoder } from '../stream/change-encoder.ts';
import { type Checkpoint, Checkpointer } from '../stream/checkpointer.ts';
import { CommitClock } from '../stream/commit-clock.ts';
import { deliver } from '../stream/delivery.ts';
import { FrameFeed } from '../stream/frame-feed.ts';
import { type CommitMark, type OutboundMessage, Outbox } from '../stream/outbox.ts';
import { schemaStatements } from '../stream/schema-statements.ts';
import { StreamedTransactions, transactionsFolder } from '../stream/streamed-transactions.ts';
import { Watermarks } from '../stream/watermarks.ts';
import { tableFilter } from '../tables/table-filter.ts';
import { FeedProgress } from './feed-progress.ts';
import type { FeedSessionOptions } from './feed-session.ts';
import { keepHouse } from './housekeeping.ts';
import { KnownTables } from './known-tables.ts';
import { resourceName } from './replication-slot.ts';
import { streamSlot } from './slot-stream.ts';
import { SlotWatch } from './slot-watch.ts';
import { applicationName, type SourceSession } from './source-session.ts';
import { tableRules } from './table-rules.ts';

/** The stages of one session, wired: frames → pgoutput → encoder → outbox → sink → checkpoint. */
export class FeedStages {
  readonly #options: FeedSessionOptions;
  readonly #source: SourceSession;
  readonly #initial: Checkpoint;
  readonly #tables: KnownTables;
  readonly #statementOf: ReturnType<typeof schemaStatements>;
  readonly #commitClock: CommitClock;
  readonly #outbox: Outbox;
  readonly #encoder: ChangeEncoder;
  readonly #streamed: StreamedTransactions;
  readonly #frames: FrameFeed;
  readonly #checkpointer: Checkpointer;
  readonly #progress: FeedProgress;
  readonly #copier: SnapshotCopier;
  readonly #lookup: RowLookup;
  readonly #ending = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  #replication: ReplicationConnection | undefined;
  #isInFlight = false;
  #lastFrameMs = 0;

  constructor(
    options: FeedSessionOptions,
    source: SourceSession,
    initial: Checkpoint,
    copies: readonly TableCopy[],
  ) {
    const { changefeed, sinkUri, clock, settings, store } = options;
    this.#options = options;
    this.#source = source;
    this.#initial = initial;
    this.#failed.promise.catch(() => {});
    const onFailure = (error: unknown) => this.#failed.reject(error);
    const now = () => clock.now();
    const rules = tableRules(changefeed.config, changefeed.maskKey, sinkUri);
    this.#tables = new KnownTables(source, rules);
    this.#statementOf = schemaStatements({
      databaseName: source.scope.databaseName,
      filter: tableFilter(
        changefeed.config.filter.rules,
        changefeed.config.case_sensitive,
        source.scope.isOwn,
      ),
      treat: rules.treat,
    });
    this.#commitClock = new CommitClock(initial.commitTs);
    this.#outbox = new Outbox(settings.outbox, () => this.#resumeIfPossible());
    this.#copier = this.#makeCopier(copies);
    this.#lookup = new RowLookup({
      openReader: () => this.#openReader(),
      clock,
      signal: this.#ending.signal,
    });
    this.#encoder = this.#makeEncoder();
    this.#streamed = this.#makeStreamed();
    this.#frames = new FrameFeed({
      reader: this.#streamed,
      onKeepalive: keepalive => this.#keepalive(keepalive),
      onFailure,
    });
    this.#checkpointer = new Checkpointer({
      initial,
      store: checkpoint => store.setCheckpoint(changefeed.id, checkpoint, this.#copier.copies),
      confirm: lsn => this.#replication?.confirm(lsn, false),
      intervalMs: settings.checkpointIntervalMs,
      clock,
      onFailure,
    });
    const { idleAdvanceBytes } = settings;
    this.#progress = new FeedProgress({
      ...options,
      changefeedId: changefeed.id,
      checkpointer: this.#checkpointer,
      onChunk: mark => this.#copier.acknowledged(mark),
      idleAdvanceBytes,
      now,
    });
  }

  /** Runs until the signal aborts, then finishes the batch under way; rejects on failure. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, settings, status, onStreaming, streamsLarge } = this.#options;
    if (streamsLarge) await this.#streamed.open();
    const replication = await this.#startReplication(signal);
    this.#replication = replication;
    this.#lastFrameMs = clock.monotonic();
    const stop = AbortSignal.any([signal, this.#ending.signal]);
    const delivery = this.#deliver(stop);
    const watch = new SlotWatch({
      ...this.#options,
      source: this.#source,
      heartbeatMs: settings.heartbeatMs,
      confirmedLsn: () => this.#checkpointer.confirmedLsn,
    });
    const house = keepHouse(
      {
        ...this.#options,
        source: this.#source,
        intervalMs: settings.housekeepingMs,
        watchSlot: () => watch.look(),
        askServer: () => replication.confirm(this.#checkpointer.confirmedLsn, true),
        onJoined: tables => this.#copier.request(tables),
        silentMs: () => (this.#isListening() ? clock.monotonic() - this.#lastFrameMs : 0),
      },
      stop,
    );
    const ended = replication.ended.then(() => {
      throw new Error('the server ended the replication stream');
    });
    const copying = this.#copier.run(stop);
    status.streaming = true;
    onStreaming(this.#copier);
    try {
      await Promise.race([delivery, house, copying, ended, this.#source.lost, this.#failed.promise]);
      // Asked to stop: the batch under way settles, and what it reached is stored and confirmed.
      await delivery;
      await this.#checkpointer.flush();
    } finally {
      this.#ending.abort();
      await Promise.allSettled([delivery, house, copying]);
      await replication.close();
      await this.#streamed.close();
      await this.#lookup.close();
    }
  }

  #makeCopier(copies: readonly TableCopy[]): SnapshotCopier {
    const { changefeed, store, clock, logger } = this.#options;
    return new SnapshotCopier({
      changefeedId: changefeed.id,
      sessionToken: randomUUID(),
      copies,
      openReader: () => this.#openReader(),
      shapeOf: table => this.#tables.shapeFor(table),
      store: list => store.setCopies(changefeed.id, list),
      clock,
      logger,
    });
  }

  #openReader(): Promise<ChunkReader> {
    const { changefeed, sourceUrl } = this.#options;
    return ChunkReader.open(sourceUrl, applicationName(changefeed.id));
  }

  #makeStreamed(): StreamedTransactions {
    const { changefeed, dataDir, settings, status, metrics } = this.#options;
    return new StreamedTransactions({
      handler: this.#encoder,
      reader: new PgoutputReader(this.#encoder),
      folder: transactionsFolder(dataDir, changefeed.id),
      bytesMax: settings.spoolBytesMax,
      onSpooled: bytes => {
        status.spoolBytes += bytes;
        if (bytes > 0) metrics.spooled(changefeed.id, bytes);
      },
      hold: work => this.#holdFrames(work),
      outbox: this.#outbox,
      signal: this.#ending.signal,
    });
  }

  #makeEncoder(): ChangeEncoder {
    const { changefeed, sinkUri, sink, settings, clock } = this.#options;
    const watermarks = new Watermarks({
      partitions: sink.partitions,
      intervalMs: settings.watermarkMs,
      clock,
      newest: () => this.#commitClock.newest,
      isInTransaction: () => this.#encoder.inTransaction,
      emit: message => this.#emit(message),
      signal: this.#ending.signal,
    });
    return new ChangeEncoder({
      changefeed: changefeed.id,
      partitions: sink.partitions,
      tidbExtension: sinkUri.tidbExtension,
      clock: this.#commitClock,
      now: () => clock.now(),
      shapeOf: oid => this.#tables.shapeOf(oid),
      onRelation: relation => this.#describe(relation),
      onType: type => this.#tables.nameType(type),
      emit: entry => this.#emit(entry),
      statementOf: this.#statementOf,
      lookUp: (shape, row, xid) => this.#lookup.find(shape, row, xid),
      hold: work => this.#hold(work),
      copy: this.#copier,
      // Without the extension a watermark would have nowhere to stand.
      onCommitted: () => (sinkUri.tidbExtension ? watermarks.committed() : undefined),
    });
  }

  #startReplication(signal: AbortSignal): Promise<ReplicationConnection> {
    const { changefeed, sourceUrl, clock, random, streamsLarge } = this.#options;
    const name = resourceName(changefeed.id);
    const options = {
      url: sourceUrl,
      applicationName: applicationName(changefeed.id),
      slot: name,
      publication: name,
      startLsn: this.#initial.lsn,
      streamsLarge,
      onFrame: (frame: Buffer) => this.#takeFrame(frame),
      now: () => clock.now(),
    };
    return streamSlot(this.#source, options, { clock, random }, signal);
  }

  #deliver(signal: AbortSignal): Promise<void> {
    const { sink, clock, random } = this.#options;
    return deliver(
      {
        outbox: this.#outbox,
        sink,
        clock,
        random,
        onTaken: () => void (this.#isInFlight = true),
        onAcknowledged: batch => {
          this.#isInFlight = false;
          this.#progress.acknowledged(batch, this.#outbox.bytes);
        },
        onTrouble: error => this.#progress.sinkTrouble(error),
        onRecovered: () => this.#progress.sinkRecovered(),
      },
      signal,
    );
  }

  #takeFrame(frame: Buffer): void {
    this.#lastFrameMs = this.#options.clock.monotonic();
    this.#frames.take(frame);
    if (this.#outbox.isFull) this.#replication?.pause();
  }

  #emit(entry: OutboundMessage | CommitMark): void {
    const { status } = this.#options;
    this.#outbox.push(entry);
    status.outboxBytes = this.#outbox.bytes;
    status.idleAtMs = undefined;
  }

  #resumeIfPossible(): void {
    if (this.#isListening()) this.#replication?.resume();
  }

  /** False while the server is kept waiting. */
  #isListening(): boolean {
    return !this.#outbox.isFull && !this.#frames.isHeld;
  }

  /** Reads no further before the work is done. */
  #hold(work: Promise<void>): void {
    if (!this.#streamed.interrupt(work)) this.#holdFrames(work);
  }

  #holdFrames(work: Promise<void>): void {
    this.#replication?.pause();
    this.#frames.holdUntil(work, () => this.#resumeIfPossible());
  }

  #describe(relation: Relation): void {
    const described = this.#tables.describe(relation);
    if (described !== undefined) this.#hold(described);
  }

  #keepalive({ endLsn, replyRequested }: Keepalive): void {
    const isIdle = this.#outbox.isEmpty && !this.#isInFlight && !this.#encoder.inTransaction;
    this.#progress.serverReached(endLsn, isIdle, this.#commitClock.newest);
    if (replyRequested) this.#replication?.confirm(this.#checkpointer.confirmedLsn, false);
  }
}
