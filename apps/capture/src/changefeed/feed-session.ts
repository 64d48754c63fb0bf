import { type Clock, describeError } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import type { SnapshotCopier } from '../snapshot/snapshot-copier.ts';
import { newCopy, withCopy } from '../snapshot/table-copy.ts';
import type { ChangeSink } from '../stream/sink.ts';
import type { Changefeed } from './changefeed.ts';
import type { ChangefeedStore } from './changefeed-store.ts';
import type { FeedMetrics } from './feed-metrics.ts';
import type { FeedSettings } from './feed-settings.ts';
import { FeedStages } from './feed-stages.ts';
import type { FeedStatus } from './feed-status.ts';
import type { KafkaSinkUri } from './sink-uri.ts';
import { prepareSlot } from './slot-preparation.ts';
import { openSourceSession } from './source-session.ts';

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
  /** Folder for what does not fit into memory. */
  readonly dataDir: string;
  /** Asks the server for large transactions before they end. */
  readonly streamsLarge: boolean;
  /** Called once the slot is there: from then on no change can be missed. */
  readonly onAnchored: () => void;
  /** Called once the slot is streamed, with what copies tables while it is. */
  readonly onStreaming: (copier: SnapshotCopier) => void;
}

/**
 * Streams a changefeed until the signal aborts or something fails. On abort it finishes the batch under way, stores
 * and confirms the checkpoint, and resolves; on failure it leaves everything as a crash would and rejects.
 */
export async function runFeedSession(options: FeedSessionOptions, signal: AbortSignal): Promise<void> {
  const { changefeed, sourceUrl, sink, store, status, logger } = options;
  const source = await openSourceSession(sourceUrl, changefeed.id, await store.identity());
  try {
    // The slot comes first: what is committed from now on waits in it, also while the broker is away.
    const { startLsn, toCopy, ineligible } = await prepareSlot(source, changefeed, sourceUrl, store);
    if (ineligible.length > 0) {
      logger.warn({ changefeed: changefeed.id, tables: ineligible }, 'some tables are not captured');
    }
    const copies = toCopy.reduce(
      (list, { schema, name }) => withCopy(list, newCopy(schema, name)),
      changefeed.copies,
    );
    const initial = { lsn: startLsn, commitTs: changefeed.checkpointTs };
    if (changefeed.checkpointLsn === null || toCopy.length > 0) {
      await store.setCheckpoint(changefeed.id, initial, copies);
    }
    options.onAnchored();
    await openSink(options);
    signal.throwIfAborted();
    await new FeedStages(options, source, initial, copies).run(signal);
  } finally {
    status.streaming = false;
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
