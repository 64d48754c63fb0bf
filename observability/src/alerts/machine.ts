import { series } from '../promql/series.ts';
import type { AlertSpec } from './alert.ts';

const common = { service: 'machine', team: 'platform' } as const;
const disks = { fstype: '!~tmpfs|overlay|squashfs|ramfs' };
const available = series('node_filesystem_avail_bytes', disks);
const size = series('node_filesystem_size_bytes', disks);
const byDisk = 'by (instance, mountpoint)';

export const machineAlerts: readonly AlertSpec[] = [
  {
    ...common,
    name: 'DiskWillFill',
    severity: 'ticket',
    expr: t =>
      [
        `min ${byDisk} (${available} / ${size}) < 0.25`,
        `and min ${byDisk} (predict_linear(${available}[${t.window('1h')}], ${t.seconds('4h')})) < 0`,
      ].join('\n'),
    for: '10m',
    summary:
      '{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left and will be full within 4 hours.',
    impact: 'PostgreSQL and the broker stop taking writes when it is.',
    place: { dashboard: 'stores', row: 'Disks' },
    provocation: {
      do: 'Mount a small file system, name it to the node exporter, and write to it a megabyte at a time.',
    },
  },
  {
    ...common,
    name: 'DiskFull',
    severity: 'page',
    expr: () => `min ${byDisk} (${available} / ${size}) < 0.05`,
    for: '2m',
    summary: '{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left.',
    impact: 'Whatever writes there is about to fail: the database, the broker, logs.',
    place: { dashboard: 'stores', row: 'Disks' },
    provocation: { do: '`fallocate` a file over all but 4 % of a small file system.' },
  },
  {
    ...common,
    name: 'ClockSkew',
    severity: 'ticket',
    expr: () => `max by (instance) (abs(${series('node_timex_offset_seconds')})) > 1`,
    for: '2m',
    summary: 'The clock of {{ $labels.instance }} is off by {{ $value | humanizeDuration }}.',
    impact: 'Ages and freshness are wrong by that much, and nobody can trust them.',
    place: { dashboard: 'telemetry', row: 'Machine' },
    provocation: { none: 'It needs the clock of the machine, which is not ours to set.' },
  },
  {
    ...common,
    name: 'ProbeFailed',
    service: '{{ $labels.target_service }}',
    severity: 'page',
    slo: 'api-availability',
    expr: t =>
      `avg by (instance, target_service) (avg_over_time(${series('probe_success')}[${t.window('2m')}])) < 0.5`,
    for: '1m',
    summary: 'From outside, {{ $labels.instance }} answers {{ $value | humanizePercentage }} of the probes.',
    impact:
      'Whoever comes the same way as the probe does not get in, whatever the service says about itself.',
    place: { dashboard: 'telemetry', row: 'Probes' },
    provocation: { do: '`kill -STOP` the console for four minutes.' },
  },
  {
    ...common,
    name: 'CertificateExpires',
    service: '{{ $labels.target_service }}',
    severity: 'ticket',
    expr: () =>
      `min by (instance, target_service) (${series('probe_ssl_earliest_cert_expiry')} - time()) < 14 * 86400`,
    for: '1h',
    summary: 'The certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}.',
    impact: 'Browsers and webhooks refuse the connection from then on.',
    place: { dashboard: 'telemetry', row: 'Probes' },
    provocation: {
      do: 'Put a proxy with `openssl req -x509 -days 3 …` before the console and add its https address to the probes.',
    },
  },
];
