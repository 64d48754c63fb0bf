import type { ChangeEvent } from '@tidemark/connectors';
import { deliverableItems, type PipelineObserver } from '@tidemark/pipeline';
import type { PipelineHost } from '../host.ts';

const operations: Readonly<Record<string, string>> = { INSERT: 'insert', UPDATE: 'update', DELETE: 'delete' };

/** Counts changes by table and operation when they take effect, and how long after their commit that is. */
export function countChanges(
  pipeline: string,
  { metrics, clock }: PipelineHost,
): PipelineObserver<ChangeEvent> {
  const changes = metrics.counter('cdc_events_total');
  const visible = metrics.histogram('change_visible_seconds');
  return {
    persisted(batch, receipt) {
      const nowMs = clock.now();
      for (const { event, record } of deliverableItems(batch)) {
        if (receipt.duplicates.has(record.offset)) continue;
        const op = operations[event.type];
        if (op !== undefined) changes.inc({ table: event.table, op });
        visible.observe({ pipeline }, Math.max(0, nowMs - event.committedAtMs) / 1000);
      }
    },
  };
}
