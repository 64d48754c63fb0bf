import { tsoToMs } from '@tidemark/canal-json';
import { type Static, Type } from 'typebox';
import type { ChangefeedView } from '../changefeed/changefeeds.ts';
import { checkpointOf, timeText } from './shapes.ts';

/** Answer of `GET …/synced` (TiDB documentation, "TiCDC OpenAPI v2"). */
export const ChangefeedSynced = Type.Object({
  synced: Type.Boolean(),
  sink_checkpoint_ts: Type.String(),
  puller_resolved_ts: Type.String(),
  last_synced_ts: Type.String(),
  now_ts: Type.String(),
  info: Type.String(),
});

/** TiCDC's defaults: nothing came for five minutes, and the checkpoint is at most fifteen seconds old. */
const quietMs = 300_000;
const checkpointAgeMaxMs = 15_000;

export function toSynced(view: ChangefeedView, nowMs: number): Static<typeof ChangefeedSynced> {
  const checkpointMs = tsoToMs(checkpointOf(view));
  const lastMs = view.status?.acknowledgedMs ?? tsoToMs(view.checkpointTs);
  const synced = nowMs - lastMs > quietMs && nowMs - checkpointMs < checkpointAgeMaxMs;
  return {
    synced,
    sink_checkpoint_ts: timeText(checkpointMs),
    puller_resolved_ts: timeText(checkpointMs),
    last_synced_ts: timeText(lastMs),
    now_ts: timeText(nowMs),
    info: synced ? 'Data syncing is finished' : 'The data syncing is not finished, please wait',
  };
}
