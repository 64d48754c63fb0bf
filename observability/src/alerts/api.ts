import { series } from '../promql/series.ts';
import type { AlertSpec } from './alert.ts';

const requests = (matchers: { status_code?: string } = {}) =>
  series('http_request_duration_seconds_count', { job: 'api', ...matchers });
const failed = { status_code: '=~5..' };
const common = { service: 'api', team: 'platform' } as const;

export const apiAlerts: readonly AlertSpec[] = [
  {
    ...common,
    name: 'ApiDown',
    severity: 'page',
    slo: 'api-availability',
    expr: () => `${series('up', { job: 'api' })} == 0`,
    for: '1m',
    summary: 'The api at {{ $labels.instance }} has not answered a scrape for 1 minute (up is {{ $value }}).',
    impact: 'Nobody can sign in; the console shows nothing. Changes go on being captured and stored.',
    place: { dashboard: 'api', row: 'Availability' },
    provocation: {
      do: '`kill -STOP "$(./tidemark status --json | jq \'.services[] | select(.name == "api").pid\')"`, later `kill -CONT`.',
    },
  },
  {
    ...common,
    name: 'ApiServerErrors',
    severity: 'page',
    slo: 'api-availability',
    expr: t => `sum by (job) (rate(${requests(failed)}[${t.window('1m')}])) > 10`,
    for: '2m',
    keepFiringFor: '5m',
    summary: 'The api fails {{ $value | humanize }} requests a second (5xx).',
    impact: 'More than ten users a second see an error page or a failed action.',
    place: { dashboard: 'api', row: 'Errors' },
    provocation: {
      do: 'Stop PostgreSQL with `kill -STOP` and send 50 requests a second to `/api/db-health` for three minutes.',
    },
  },
  {
    ...common,
    name: 'ApiErrorRatioHigh',
    severity: 'ticket',
    slo: 'api-availability',
    expr: t => {
      const [bad, all] = [requests(failed), requests()].map(
        each => `sum by (job) (increase(${each}[${t.window('5m')}]))`,
      );
      return `${bad} / ${all} > 0.05\nand ${bad} >= 5`;
    },
    for: '5m',
    keepFiringFor: '5m',
    summary: '{{ $value | humanizePercentage }} of the requests to the api fail (5xx).',
    impact: 'One request of twenty or more fails; people try again and mostly succeed.',
    place: { dashboard: 'api', row: 'Errors' },
    provocation: {
      do: 'Pause PostgreSQL for ten seconds of every minute (`kill -STOP`, `kill -CONT`) under steady requests.',
    },
  },
];
