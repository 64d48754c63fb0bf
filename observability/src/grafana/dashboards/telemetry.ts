import { validEvents } from '../../prometheus/slo-rules.ts';
import { recorded, series } from '../../promql/series.ts';
import type { Dashboard, Row } from '../dashboard.ts';
import { outside } from './outside.ts';
import { chosen, jobVariable, perSecond } from './variables.ts';

const job = { job: chosen('job') };
const third = { width: 6 } as const;

const alertPath: Row = {
  title: 'Alert path',
  panels: [
    {
      ...third,
      type: 'timeseries',
      title: 'Notifications',
      description: 'Sent by Alertmanager, and those that a receiver did not take.',
      unit: 'cps',
      queries: [
        {
          expr: `sum by (integration) (${perSecond(series('alertmanager_notifications_total'))})`,
          legend: 'sent {{integration}}',
        },
        {
          expr: `sum by (integration) (${perSecond(series('alertmanager_notifications_failed_total'))})`,
          legend: 'failed {{integration}}',
        },
        {
          expr: `sum(${perSecond(series('prometheus_notifications_errors_total'))})`,
          legend: 'refused by Alertmanager',
        },
      ],
    },
    {
      ...third,
      type: 'timeseries',
      title: 'Rules that fail',
      description: 'Evaluations that ended with an error.',
      unit: 'cps',
      queries: [
        {
          expr: `sum by (rule_group) (${perSecond(series('prometheus_rule_evaluation_failures_total'))})`,
          legend: '{{rule_group}}',
        },
      ],
    },
    {
      ...third,
      type: 'stat',
      title: 'Configuration loaded',
      description: '1 when the last reload of Prometheus worked; and the Alertmanagers that it knows.',
      unit: 'none',
      queries: [
        { expr: `min(${series('prometheus_config_last_reload_successful')})`, legend: 'reloaded' },
        {
          expr: `min(${series('prometheus_notifications_alertmanagers_discovered')})`,
          legend: 'Alertmanagers',
        },
      ],
    },
  ],
};

const scrapes: Row = {
  title: 'Scrapes',
  panels: [
    {
      ...third,
      type: 'timeseries',
      title: 'Targets up',
      description: '1 while a target answers.',
      unit: 'none',
      queries: [{ expr: `min by (job) (${series('up', job)})`, legend: '{{job}}' }],
    },
    {
      ...third,
      type: 'timeseries',
      title: 'Duration of scrapes',
      description: 'A scrape is given up after five seconds.',
      unit: 's',
      queries: [{ expr: `max by (job) (${series('scrape_duration_seconds', job)})`, legend: '{{job}}' }],
      thresholds: [{ value: 5, colour: 'red' }],
    },
    {
      ...third,
      type: 'timeseries',
      title: 'Figures that could not be looked up',
      description: 'Collectors that failed or took too long.',
      unit: 'cps',
      queries: [
        {
          expr: `sum by (job) (${perSecond(series('scrape_collector_failures_total', job))})`,
          legend: '{{job}}',
        },
      ],
    },
    {
      type: 'timeseries',
      title: 'Series of each target',
      description: 'Samples of one scrape. A steep rise is a label that has too many values.',
      unit: 'short',
      queries: [{ expr: `max by (job) (${series('scrape_samples_scraped', job)})`, legend: '{{job}}' }],
    },
    {
      type: 'timeseries',
      title: 'Series in Prometheus',
      description: 'Time series in memory.',
      unit: 'short',
      queries: [{ expr: `sum(${series('prometheus_tsdb_head_series')})`, legend: 'series' }],
    },
  ],
};

const sliHealth: Row = {
  title: 'SLI health',
  panels: [
    {
      type: 'timeseries',
      title: 'Valid events of an hour',
      description:
        'What each objective is judged by. A line that is missing is an objective that nobody watches.',
      unit: 'short',
      width: 9,
      queries: [{ expr: `sum by (slo) (${validEvents('1h')})`, legend: '{{slo}}' }],
    },
    {
      type: 'timeseries',
      title: 'Good slices',
      description: '1 while a moment is good for the objectives that are judged by time.',
      unit: 'none',
      width: 9,
      queries: [{ expr: recorded('slo:slice_good'), legend: '{{slo}}' }],
    },
  ],
};

const processes: Row = {
  title: 'Processes',
  panels: [
    {
      ...third,
      type: 'timeseries',
      title: 'Event loop delay, p99',
      description: 'The line is the alert.',
      unit: 's',
      queries: [
        { expr: `max by (job) (${series('nodejs_eventloop_lag_p99_seconds', job)})`, legend: '{{job}}' },
      ],
      thresholds: [{ value: 0.25, colour: 'red' }],
    },
    {
      ...third,
      type: 'timeseries',
      title: 'Heap in use',
      description: 'And the size at which V8 gives up.',
      unit: 'bytes',
      queries: [
        { expr: `max by (job) (${series('nodejs_heap_size_used_bytes', job)})`, legend: '{{job}}' },
        { expr: `min by (job) (${series('nodejs_heap_limit_bytes', job)})`, legend: '{{job}} limit' },
      ],
    },
    {
      ...third,
      type: 'timeseries',
      title: 'Resident memory',
      description: 'Of each process.',
      unit: 'bytes',
      queries: [
        { expr: `max by (job) (${series('process_resident_memory_bytes', job)})`, legend: '{{job}}' },
      ],
    },
    {
      ...third,
      type: 'timeseries',
      title: 'Processor',
      description: 'Seconds of processor time a second.',
      unit: 'percentunit',
      queries: [
        { expr: `sum by (job) (${perSecond(series('process_cpu_seconds_total', job))})`, legend: '{{job}}' },
      ],
    },
    {
      ...third,
      type: 'timeseries',
      title: 'File descriptors',
      description: 'Share that is in use. The line is the alert.',
      unit: 'percentunit',
      queries: [
        {
          expr: `max by (job) (${series('process_open_fds', job)} / ${series('process_max_fds', job)})`,
          legend: '{{job}}',
        },
      ],
      thresholds: [{ value: 0.8, colour: 'red' }],
    },
    {
      ...third,
      type: 'timeseries',
      title: 'Garbage collection',
      description: 'Share of time spent on it.',
      unit: 'percentunit',
      queries: [
        {
          expr: `sum by (job) (${perSecond(series('nodejs_gc_duration_seconds_sum', job))})`,
          legend: '{{job}}',
        },
      ],
    },
    {
      ...third,
      type: 'stat',
      title: 'Starts',
      description: 'When each process was started.',
      unit: 'dateTimeAsIso',
      queries: [
        { expr: `max by (job) (${series('process_start_time_seconds', job)}) * 1000`, legend: '{{job}}' },
      ],
    },
  ],
};

export const telemetryDashboard: Dashboard = {
  key: 'telemetry',
  title: 'Telemetry',
  description: 'Can what we see be believed? Scrapes, rules, the path of alerts, processes, probes, logs.',
  variables: [jobVariable],
  rows: [alertPath, scrapes, sliHealth, processes, ...outside],
};
