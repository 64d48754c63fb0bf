import { TidemarkError } from '@tidemark/kernel';
import { columnTreatment } from '../tables/column-treatment.ts';
import { dispatcherOf } from '../tables/dispatcher.ts';
import { tableFilter } from '../tables/table-filter.ts';
import type { TableRules } from '../tables/table-shape.ts';
import type { ReplicaConfig } from './replica-config.ts';
import type { KafkaSinkUri } from './sink-uri.ts';

/** What a sink URI says about the form of messages. */
type UriForm = Pick<KafkaSinkUri, 'contentCompatible' | 'onlyUpdatedColumns'>;

/**
 * The rules of a configuration, read. A form of messages is on when the configuration or the sink URI asks for it: TiCDC
 * lets the URI win, but merges in a way that passes over `false` (pingcap/ticdc, codec/common/config.go, imdario/mergo).
 * @throws TidemarkError `FILTER_RULE_INVALID` or `PARAMETER_INVALID`
 */
export function tableRules(config: ReplicaConfig, maskKey: Uint8Array, form?: UriForm): TableRules {
  const caseSensitive = config.case_sensitive;
  for (const { partition, columns, index } of config.sink.dispatchers) {
    if ((partition === 'columns') !== (columns !== undefined)) {
      throw new TidemarkError(
        'PARAMETER_INVALID',
        'a dispatcher has columns exactly when its partition is "columns"',
      );
    }
    if (index !== undefined && partition !== 'index-value') {
      throw new TidemarkError(
        'PARAMETER_INVALID',
        'a dispatcher has an index only when its partition is "index-value"',
      );
    }
  }
  const isCanals = config.sink.content_compatible === true || form?.contentCompatible === true;
  const isUpdatedOnly = config.sink.only_output_updated_columns === true || form?.onlyUpdatedColumns === true;
  return {
    treat: columnTreatment({
      columnSelectors: config.sink.column_selectors,
      mask: config.mask,
      caseSensitive,
    }),
    dispatcher: dispatcherOf(config.sink.dispatchers, caseSensitive),
    maskKey,
    fullTypes: isCanals,
    // The content-compatible form, Canal's own, has only what changed in `old`.
    onlyUpdated: isCanals || isUpdatedOnly,
  };
}

/** Reads everything in a configuration that has to be read, to find its mistakes before it is kept. */
export function checkConfig(config: ReplicaConfig): void {
  tableFilter(config.filter.rules, config.case_sensitive);
  tableRules(config, new Uint8Array());
}
