import type { Change } from '@tidemark/contracts';
import { type Filter, matches } from './change-filter.ts';
import type { ChangeStore } from './change-store.ts';
import type { ChangeTail } from './change-tail.ts';
import type { EventStream } from './event-stream.ts';

export interface FollowRequest {
  readonly filter: Filter;
  /** Id of the last change that the client has; undefined to begin with the next one. */
  readonly after: bigint | undefined;
  readonly stream: EventStream;
  readonly signal: AbortSignal;
  /** Told how far the client is. */
  readonly onPosition: (id: bigint) => void;
}

const catchUpRows = 200;

/**
 * Sends the changes after a position to one client, in the order of their ids, until the signal aborts. The client
 * pulls: it reads from memory while it keeps up and from the store when it has fallen behind, so it misses nothing
 * and costs no memory of its own.
 */
export async function followChanges(
  store: Pick<ChangeStore, 'following'>,
  tail: ChangeTail,
  { filter, after, stream, signal, onPosition }: FollowRequest,
): Promise<void> {
  let position = startAt(after, tail.newest);
  if (after !== undefined && position !== after) {
    await stream.send({
      id: String(position),
      type: 'reset',
      data: JSON.stringify({ from: String(position) }),
    });
  }
  const send = (id: bigint | string, json: string) =>
    stream.send({ id: String(id), type: 'change', data: json });
  const sendStored = async (changes: readonly Change[]) => {
    for (const change of changes) await send(change.id, JSON.stringify(change));
  };

  while (!signal.aborted && !stream.ended) {
    const { newest } = tail;
    const entries = tail.after(position);
    if (entries === undefined) {
      const slice = await store.following(filter, position, newest, catchUpRows);
      await sendStored(slice.changes);
      position = slice.reached;
      onPosition(position);
      continue;
    }
    for (const { id, change, json } of entries) {
      if (stream.ended) return;
      if (matches(filter, change)) await send(id, json);
    }
    position = newest;
    onPosition(position);
    await tail.newerThan(position, signal);
  }
}

/** A client that knows a later change than the store has met a store that was made anew: it starts over. */
function startAt(after: bigint | undefined, newest: bigint): bigint {
  return after === undefined || after > newest ? newest : after;
}
