import { randomBytes, randomUUID } from 'node:crypto';
import { tsoFromMs } from '@tidemark/canal-json';
import { backoffDelayMs, type Clock, describeError, TidemarkError } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import { newCopy, withCopy } from '../snapshot/table-copy.ts';
import type { Changefeed, ChangefeedState } from './changefeed.ts';
import { type ChangefeedRequest, checkId, checkRequest, exists, notFound } from './changefeed-request.ts';
import type { ChangefeedStore, NewChangefeed } from './changefeed-store.ts';
import { FeedRunner, type FeedRunnerOptions } from './feed-runner.ts';
import type { FeedStatus } from './feed-status.ts';
import type { ReplicaConfig } from './replica-config.ts';
import { resourceName } from './replication-slot.ts';
import { capturedTables, checkSource, removeResources } from './source-resources.ts';

/** A changefeed as it is kept, with what is known about it at this moment. */
export interface ChangefeedView extends Changefeed {
  /** Undefined while it does not run. */
  readonly status: FeedStatus | undefined;
}

export type RunnerDefaults = Omit<FeedRunnerOptions, 'changefeedId'>;

/** How long a creation waits for its slot, milliseconds. */
const slotPatienceMs = 10_000;

/** As long as the hash that it is the key of. */
const maskKeyBytes = 32;

/** All changefeeds: what may be asked of them, and their runners. One operation at a time changes anything. */
export class Changefeeds {
  readonly #defaults: RunnerDefaults;
  readonly #store: ChangefeedStore;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #runners = new Map<string, FeedRunner>();
  readonly #stopping = new AbortController();
  #loaded = false;
  #opening: Promise<void> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(defaults: RunnerDefaults) {
    this.#defaults = defaults;
    this.#store = defaults.store;
    this.#logger = defaults.logger;
    this.#clock = defaults.clock;
  }

  /** False until the stored changefeeds are known. */
  get isLoaded(): boolean {
    return this.#loaded;
  }

  /** Every changefeed that runs here, by id. */
  statuses(): ReadonlyMap<string, FeedStatus> {
    return new Map([...this.#runners].map(([id, runner]) => [id, runner.status]));
  }

  runner(id: string): FeedRunner | undefined {
    return this.#runners.get(id);
  }

  /** Loads and starts the stored changefeeds as soon as the database answers; returns at once. */
  open(initial: readonly ChangefeedRequest[] = []): void {
    this.#opening ??= this.#openWithRetry(initial);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#opening;
    await this.#queue.catch(() => {});
    await Promise.all([...this.#runners.values()].map(runner => runner.stop()));
  }

  async list(): Promise<readonly ChangefeedView[]> {
    return (await this.#store.list()).map(feed => this.#view(feed));
  }

  /** @throws TidemarkError `CHANGEFEED_NOT_FOUND` */
  async get(id: string): Promise<ChangefeedView> {
    const feed = await this.#store.find(id);
    if (feed === undefined) throw notFound(id);
    return this.#view(feed);
  }

  /**
   * Creates a changefeed and starts it. Its tables are checked first. When this resolves, the slot is there and keeps
   * every change that is committed from then on — unless the source does not answer, or transactions that are open on
   * it hold the slot up for longer than a person would wait; the changefeed then goes on by itself.
   * @throws TidemarkError `CHANGEFEED_EXISTS`, `CHANGEFEED_ID_INVALID`, `TABLE_INELIGIBLE`, `SINK_URI_INVALID`,
   *   `FILTER_RULE_INVALID`, `SOURCE_URI_INVALID`, `SOURCE_UNREACHABLE`, `PREFLIGHT_FAILED`, `SLOT_EXISTS`
   */
  create(request: ChangefeedRequest): Promise<ChangefeedView> {
    return this.#exclusively(async () => {
      const id = request.id ?? randomUUID();
      checkId(id);
      checkRequest(request.sinkUri, request.sourceUri ?? null, request.config);
      if ((await this.#store.find(id)) !== undefined) throw exists(id);
      await this.#checkSource(id, request.sourceUri ?? null, request.config, true);
      const feed = await this.#store.add(this.#newFeed(id, request));
      if (feed === undefined) throw exists(id);
      this.#run(feed);
      await this.#untilSettled(id);
      return this.#view(feed);
    });
  }

  /**
   * Changes a changefeed that is not running.
   * @throws TidemarkError `CHANGEFEED_UPDATE_REFUSED` while it runs, and what {@link create} throws
   */
  update(
    id: string,
    changes: Partial<Pick<Changefeed, 'sinkUri' | 'sourceUri' | 'config'>>,
  ): Promise<ChangefeedView> {
    return this.#exclusively(async () => {
      const feed = await this.get(id);
      if (!resumable.has(feed.status?.state ?? feed.state)) {
        throw new TidemarkError('CHANGEFEED_UPDATE_REFUSED', `changefeed ${id} is running`, {
          hint: 'Pause it, change it, and resume it.',
        });
      }
      const changed = { ...feed, ...changes };
      checkRequest(changed.sinkUri, changed.sourceUri, changed.config);
      await this.#checkSource(id, changed.sourceUri, changed.config, false);
      await this.#store.update(changed);
      return changed;
    });
  }

  /**
   * Asks for the existing rows of tables, while their changes are streamed.
   * @param rules which tables, as in `filter.rules`
   * @throws TidemarkError `PARAMETER_INVALID` when they name none that is captured
   */
  copy(id: string, rules: readonly string[]): Promise<void> {
    return this.#exclusively(async () => {
      const feed = await this.get(id);
      const own = await this.#store.identity();
      const named = await capturedTables(this.#urlOf(feed.sourceUri), own, feed, rules);
      const copier = this.#runners.get(id)?.copier;
      if (copier !== undefined) return copier.request(named);
      const copies = named.reduce(
        (list, { schema, name }) => withCopy(list, newCopy(schema, name)),
        feed.copies,
      );
      return this.#store.setCopies(id, copies);
    });
  }

  /** Stops a changefeed until it is resumed. */
  pause(id: string): Promise<void> {
    return this.#exclusively(async () => {
      await this.get(id);
      await this.#halt(id);
      await this.#store.setState(id, 'stopped', null);
    });
  }

  /** Starts a changefeed that was stopped or has failed. */
  resume(id: string): Promise<void> {
    return this.#exclusively(async () => {
      const feed = await this.get(id);
      if (!resumable.has(feed.status?.state ?? feed.state)) {
        throw new TidemarkError('CHANGEFEED_UPDATE_REFUSED', `changefeed ${id} is running already`);
      }
      await this.#halt(id);
      await this.#store.setState(id, 'normal', null);
      this.#run({ ...feed, state: 'normal' });
    });
  }

  /**
   * Removes a changefeed with its slot and publication. True when there was one.
   * @param force removes it also when its source does not answer, and leaves slot and publication there
   * @throws TidemarkError `SOURCE_UNREACHABLE`
   */
  remove(id: string, force = false): Promise<boolean> {
    return this.#exclusively(async () => {
      const feed = await this.#store.find(id);
      await this.#halt(id); // also when another process has removed it
      if (feed === undefined) return false;
      await removeResources(this.#urlOf(feed.sourceUri), feed).catch((error: unknown) => {
        if (!force) throw error;
        const name = resourceName(id);
        const left = { changefeed: id, slot: name, publication: name, error: describeError(error) };
        this.#logger.warn(left, 'removed a changefeed without its slot and publication');
      });
      await this.#store.remove(id);
      return true;
    });
  }

  #urlOf(sourceUri: string | null): string {
    return sourceUri ?? this.#defaults.ownUrl;
  }

  async #untilSettled(id: string): Promise<void> {
    const patience = new AbortController();
    const lapsed = this.#clock.sleep(slotPatienceMs, patience.signal).catch(() => {});
    await Promise.race([this.#runners.get(id)?.settled, lapsed]);
    patience.abort();
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#loaded) {
      return Promise.reject(
        new TidemarkError('SERVER_NOT_READY', 'the database of changefeeds does not answer yet', {
          hint: 'Try again in a moment; /readyz tells when.',
        }),
      );
    }
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => {});
    return result;
  }

  async #openWithRetry(initial: readonly ChangefeedRequest[]): Promise<void> {
    const { random } = this.#defaults;
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#load(initial);
        return;
      } catch (error) {
        if (attempt === 0) this.#logger.warn({ error: describeError(error) }, 'waiting for the database');
      }
      const delayMs = backoffDelayMs({ baseMs: 200, capMs: 5000 }, attempt, random);
      await this.#clock.sleep(delayMs, signal).catch(() => {});
    }
  }

  async #load(initial: readonly ChangefeedRequest[]): Promise<void> {
    for (const request of initial) await this.#ensure(request);
    const feeds = await this.#store.list();
    this.#loaded = true;
    for (const feed of feeds) if (runs.has(feed.state)) this.#run(feed);
  }

  /** Adds a changefeed that a stack starts with. Of one that is there, only how its source is reached may be news. */
  async #ensure(request: ChangefeedRequest): Promise<void> {
    const { id = '', sourceUri = null } = request;
    const known = await this.#store.find(id);
    if (known === undefined) await this.#store.add(this.#newFeed(id, request));
    else if (sourceUri !== null && sourceUri !== known.sourceUri) {
      await this.#store.update({ ...known, sourceUri });
    }
  }

  #newFeed(id: string, { sinkUri, sourceUri, config }: ChangefeedRequest): NewChangefeed {
    const maskKey = randomBytes(maskKeyBytes);
    return {
      id,
      sinkUri,
      sourceUri: sourceUri ?? null,
      config,
      maskKey,
      startTs: tsoFromMs(this.#clock.now()),
    };
  }

  async #checkSource(
    id: string,
    sourceUri: string | null,
    config: ReplicaConfig,
    isNew: boolean,
  ): Promise<void> {
    const own = await this.#store.identity();
    await checkSource({ id, url: this.#urlOf(sourceUri), config, isNew, own });
  }

  #run(feed: Changefeed): void {
    const runner = new FeedRunner({ ...this.#defaults, changefeedId: feed.id }, feed);
    this.#runners.set(feed.id, runner);
    runner.start();
  }

  async #halt(id: string): Promise<void> {
    await this.#runners.get(id)?.stop();
    this.#runners.delete(id);
  }

  #view(feed: Changefeed): ChangefeedView {
    const runner = this.#runners.get(feed.id);
    return { ...feed, copies: runner?.copier?.copies ?? feed.copies, status: runner?.status };
  }
}

const runs = new Set<ChangefeedState>(['normal', 'warning']);
const resumable = new Set<ChangefeedState>(['stopped', 'failed', 'finished']);
