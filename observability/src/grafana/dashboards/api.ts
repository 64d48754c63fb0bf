import { edge, series } from '../../promql/series.ts';
import type { Dashboard } from '../dashboard.ts';
import { chosen, instanceVariable, perSecond, quantile } from './variables.ts';

const api = { job: 'api', instance: chosen('instance') };
const count = (status_code?: string) =>
  series('http_request_duration_seconds_count', { ...api, ...(status_code && { status_code }) });
const bucket = series('http_request_duration_seconds_bucket', api);

export const apiDashboard: Dashboard = {
  key: 'api',
  title: 'Api',
  description: 'Requests to the api: how many, how fast, how many fail.',
  variables: [instanceVariable],
  rows: [
    {
      title: 'Availability',
      panels: [
        {
          type: 'stat',
          title: 'Api up',
          description: '1 while the api answers scrapes.',
          unit: 'none',
          width: 4,
          queries: [{ expr: series('up', api), legend: '{{instance}}' }],
          thresholds: [
            { value: 0, colour: 'red' },
            { value: 1, colour: 'green' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Requests per second',
          description: 'All requests that are answered, probes included.',
          unit: 'reqps',
          width: 14,
          queries: [{ expr: `sum(${perSecond(count())})`, legend: 'requests' }],
        },
      ],
    },
    {
      title: 'Errors',
      panels: [
        {
          type: 'timeseries',
          title: '5xx per second',
          description: 'Requests that failed by the fault of the api. The line is the alert of 10 a second.',
          unit: 'reqps',
          queries: [{ expr: `sum(${perSecond(count('=~5..'))})`, legend: '5xx', emptyWhenHealthy: true }],
          thresholds: [{ value: 10, colour: 'red' }],
        },
        {
          type: 'timeseries',
          title: 'Requests by status code',
          description: 'What requests are answered with.',
          unit: 'reqps',
          width: 10,
          stacked: true,
          queries: [{ expr: `sum by (status_code) (${perSecond(count())})`, legend: '{{status_code}}' }],
        },
      ],
    },
    {
      title: 'Latency',
      panels: [
        {
          type: 'timeseries',
          title: 'Latency by quantile',
          description: 'Time to answer. The line is the objective: 99 % of the requests within 0.3 s.',
          unit: 's',
          queries: [0.5, 0.95, 0.99].map(q => ({
            expr: quantile(q, bucket),
            legend: `p${q * 100}`,
            exemplars: true,
          })),
          thresholds: [{ value: 0.3, colour: 'red' }],
        },
        {
          type: 'timeseries',
          title: 'p95 by route',
          description: 'Which route is slow.',
          unit: 's',
          queries: [{ expr: quantile(0.95, bucket, 'route'), legend: '{{route}}' }],
        },
        {
          type: 'heatmap',
          title: 'Latency heatmap',
          description: 'How many requests took how long. A dot opens the trace of one.',
          unit: 's',
          queries: [{ expr: `sum by (le) (${perSecond(bucket)})`, legend: '{{le}}', exemplars: true }],
        },
        {
          type: 'timeseries',
          title: 'Share within the objective',
          description: 'Requests answered within 0.3 s.',
          unit: 'percentunit',
          queries: [
            {
              expr: `sum(${perSecond(series('http_request_duration_seconds_bucket', { ...api, le: edge(0.3) }))}) / sum(${perSecond(count())})`,
              legend: 'within 0.3 s',
            },
          ],
          thresholds: [{ value: 0.99, colour: 'green' }],
        },
      ],
    },
    {
      title: 'Traffic',
      panels: [
        {
          type: 'timeseries',
          title: 'Requests by route',
          description: 'Where the requests go.',
          unit: 'reqps',
          queries: [{ expr: `sum by (route) (${perSecond(count())})`, legend: '{{route}}' }],
        },
        {
          type: 'timeseries',
          title: 'Requests by method',
          description: 'Reads and writes.',
          unit: 'reqps',
          queries: [{ expr: `sum by (method) (${perSecond(count())})`, legend: '{{method}}' }],
        },
        {
          type: 'timeseries',
          title: 'Browsers on the live feed',
          description: 'Connections that follow the feed of changes.',
          unit: 'short',
          queries: [{ expr: `sum(${series('sse_clients', api)})`, legend: 'browsers' }],
        },
      ],
    },
  ],
};
