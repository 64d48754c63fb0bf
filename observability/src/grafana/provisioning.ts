import type { Settings } from '../settings.ts';
import { datasourceUids } from './panel.ts';

/** grafana/provisioning/datasources: names may be changed, uids not, because dashboards know them. */
export function datasourcesConfig({
  targets,
  times,
  elasticsearchUrl,
  lokiUrl,
  jaegerUrl,
}: Settings): unknown {
  return {
    apiVersion: 1,
    datasources: [
      {
        name: 'Prometheus',
        uid: datasourceUids.prometheus,
        type: 'prometheus',
        access: 'proxy',
        url: `http://${targets.prometheus}`,
        isDefault: true,
        jsonData: {
          httpMethod: 'POST',
          // Without it Grafana assumes 15 s, and rates are taken over windows that need not hold two samples.
          timeInterval: times.scrape,
          exemplarTraceIdDestinations: [{ name: 'trace_id', datasourceUid: datasourceUids.jaeger }],
        },
      },
      {
        name: 'Elasticsearch',
        uid: datasourceUids.elasticsearch,
        type: 'elasticsearch',
        access: 'proxy',
        url: elasticsearchUrl,
        jsonData: { index: 'changes*', timeField: 'committed_at', logMessageField: 'change_id' },
      },
      {
        name: 'Loki',
        uid: datasourceUids.loki,
        type: 'loki',
        access: 'proxy',
        url: lokiUrl,
        jsonData: {
          derivedFields: [
            {
              name: 'trace',
              matcherRegex: '"trace_id":"([0-9a-f]{32})"',
              url: '$${__value.raw}',
              datasourceUid: datasourceUids.jaeger,
            },
          ],
        },
      },
      {
        name: 'Jaeger',
        uid: datasourceUids.jaeger,
        type: 'jaeger',
        access: 'proxy',
        url: jaegerUrl,
        jsonData: { tracesToLogsV2: { datasourceUid: datasourceUids.loki, filterByTraceID: true } },
      },
    ],
  };
}

/** grafana/provisioning/dashboards: where Grafana finds them. The path is the one inside an installation of it. */
export function dashboardsConfig(): unknown {
  return {
    apiVersion: 1,
    providers: [
      {
        name: 'tidemark',
        folder: 'Tidemark',
        type: 'file',
        disableDeletion: true,
        allowUiUpdates: false,
        options: { path: '/etc/grafana/dashboards/tidemark' },
      },
    ],
  };
}
