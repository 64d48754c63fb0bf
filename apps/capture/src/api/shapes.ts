import { tsoFromMs, tsoToMs } from '@tidemark/canal-json';
import { type Static, Type } from 'typebox';
import type { ChangefeedState } from '../changefeed/changefeed.ts';
import type { ChangefeedView } from '../changefeed/changefeeds.ts';
import { ReplicaConfig } from '../changefeed/replica-config.ts';
import { maskSinkUri } from '../changefeed/sink-uri.ts';
import { maskSourceUri } from '../changefeed/source-uri.ts';

/** Version that answers name as the creator. */
export const serviceVersion = '0.1.0';

/** Where TiCDC would name a keyspace (new architecture) or a namespace (classic); capture has one. */
const keyspace = 'default';

/** A TSO as a JSON number. It does not fit a JavaScript number, so it is a bigint until it is text. */
export const Tso = Type.Unsafe<bigint>({ type: 'integer' });

const RunningError = Type.Union([
  Type.Null(),
  Type.Object({
    time: Type.String(),
    addr: Type.String(),
    code: Type.String(),
    message: Type.String(),
  }),
]);

const Common = {
  upstream_id: Type.Integer(),
  namespace: Type.String(),
  keyspace: Type.String(),
  id: Type.String(),
  state: Type.String(),
  error: RunningError,
  checkpoint_time: Type.String(),
};

/** An item of a list, in v1 and v2. */
export const ChangefeedItem = Type.Object({ ...Common, checkpoint_tso: Tso });

const Detail = {
  ...Common,
  sink_uri: Type.String(),
  source_uri: Type.Optional(
    Type.String({ description: 'The captured database when it is not that of capture; not part of TiCDC' }),
  ),
  create_time: Type.String(),
  start_ts: Tso,
  target_ts: Tso,
  resolved_ts: Tso,
  creator_version: Type.String(),
  task_status: Type.Array(Type.Any()),
};

export const ChangefeedInfo = Type.Object({
  ...Detail,
  admin_job_type: Type.Integer(),
  config: ReplicaConfig,
  checkpoint_ts: Tso,
  copies: Type.Array(Type.Object({ table: Type.String(), rows: Type.Integer(), is_done: Type.Boolean() }), {
    description: 'Copies of existing rows; not part of TiCDC',
  }),
});

export const ChangefeedDetailV1 = Type.Object({
  ...Detail,
  checkpoint_tso: Tso,
  sort_engine: Type.String(),
  error_history: Type.Null(),
});

export const ChangefeedStatus = Type.Object({
  state: Type.String(),
  resolved_ts: Tso,
  checkpoint_ts: Tso,
  last_error: Type.Optional(RunningError),
  last_warning: Type.Optional(RunningError),
});

/** The state as it is now: a running changefeed knows better than the table. */
export function stateOf(view: ChangefeedView): ChangefeedState {
  return view.status?.state ?? view.state;
}

/** While nothing is waiting, everything up to the moment was replicated; the stored number is that of a commit. */
export function checkpointOf({ status, checkpointTs }: ChangefeedView): bigint {
  if (status === undefined) return checkpointTs;
  const idleTs = status.idleAtMs === undefined ? 0n : tsoFromMs(status.idleAtMs);
  return idleTs > status.checkpointTs ? idleTs : status.checkpointTs;
}

function errorOf(view: ChangefeedView, address: string): Static<typeof RunningError> {
  const error = view.status?.error ?? view.error;
  if (error !== null) return { time: error.time, addr: address, code: error.code, message: error.message };
  const sinkError = view.status?.sinkError;
  if (sinkError === undefined) return null;
  return {
    time: new Date().toISOString(),
    addr: address,
    code: 'CDC:ErrKafkaSendMessage',
    message: sinkError,
  };
}

/** `2006-01-02 15:04:05.000`, in UTC, as TiCDC's layout is. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 23);
}

function common(view: ChangefeedView, address: string) {
  return {
    upstream_id: 0,
    namespace: keyspace,
    keyspace,
    id: view.id,
    state: stateOf(view),
    error: errorOf(view, address),
    checkpoint_time: timeText(tsoToMs(checkpointOf(view))),
  };
}

function detail(view: ChangefeedView, address: string) {
  return {
    ...common(view, address),
    sink_uri: maskSinkUri(view.sinkUri),
    ...(view.sourceUri === null ? {} : { source_uri: maskSourceUri(view.sourceUri) }),
    create_time: view.createdAt.toISOString(),
    start_ts: view.startTs,
    target_ts: view.targetTs,
    resolved_ts: checkpointOf(view),
    creator_version: serviceVersion,
    task_status: [],
  };
}

export function toItem(view: ChangefeedView, address: string): Static<typeof ChangefeedItem> {
  return { ...common(view, address), checkpoint_tso: checkpointOf(view) };
}

export function toInfo(view: ChangefeedView, address: string): Static<typeof ChangefeedInfo> {
  return {
    ...detail(view, address),
    admin_job_type: 0,
    config: view.config,
    checkpoint_ts: checkpointOf(view),
    copies: view.copies.map(({ schema, name, rows, isDone }) => ({
      table: `${schema}.${name}`,
      rows,
      is_done: isDone,
    })),
  };
}

export function toDetailV1(view: ChangefeedView, address: string): Static<typeof ChangefeedDetailV1> {
  return {
    ...detail(view, address),
    checkpoint_tso: checkpointOf(view),
    sort_engine: 'unified',
    error_history: null,
  };
}

export function toStatus(view: ChangefeedView, address: string): Static<typeof ChangefeedStatus> {
  const error = errorOf(view, address);
  const state = stateOf(view);
  return {
    state,
    resolved_ts: checkpointOf(view),
    checkpoint_ts: checkpointOf(view),
    ...(error === null ? {} : state === 'failed' ? { last_error: error } : { last_warning: error }),
  };
}
