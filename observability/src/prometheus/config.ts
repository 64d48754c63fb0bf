import type { Job, Settings } from '../settings.ts';

/** Services of ours; the rest is third-party. */
const services: readonly Job[] = ['api', 'capture', 'consumer', 'producer', 'console', 'broker'];
/** Services that a probe asks from outside, and how: see blackbox.yml. */
const probes = [
  { service: 'api', job: 'api', path: '/readyz', module: 'ready' },
  { service: 'console', job: 'console', path: '/', module: 'console_page' },
  { service: 'capture', job: 'capture', path: '/readyz', module: 'ready' },
  { service: 'consumer', job: 'consumer', path: '/readyz', module: 'ready' },
] as const satisfies readonly { service: string; job: Job; path: string; module: string }[];

/** What Prometheus scrapes, which rules it reads, and whom it tells. */
export function prometheusConfig(settings: Settings, ruleFiles: readonly string[]): unknown {
  const { targets, times, drill } = settings;
  const scrape = (job: Job, path?: string) => ({
    job_name: job,
    ...(path && { metrics_path: path }),
    static_configs: [{ targets: [targets[job]] }],
  });
  return {
    global: {
      scrape_interval: times.scrape,
      // A collector that hangs is given up after two seconds, so a scrape that takes longer has another reason.
      scrape_timeout: times.interval('5s'),
      evaluation_interval: times.scrape,
      external_labels: { installation: drill === 'none' ? 'tidemark' : `tidemark-drill-${drill}` },
    },
    rule_files: ruleFiles.map(file => `rules/${file}`),
    alerting: { alertmanagers: [{ static_configs: [{ targets: [targets.alertmanager] }] }] },
    scrape_configs: [
      ...services.map(job => scrape(job)),
      scrape('prometheus'),
      scrape('alertmanager'),
      scrape('node'),
      scrape('blackbox'),
      ...[...new Set(probes.map(({ module }) => module))].map(module => probeJob(module, settings)),
    ],
  };
}

function probeJob(module: string, { targets }: Settings): unknown {
  return {
    job_name: `probe_${module}`,
    metrics_path: '/probe',
    params: { module: [module] },
    static_configs: probes
      .filter(probe => probe.module === module)
      .map(({ service, job, path }) => ({
        targets: [`http://${targets[job]}${path}`],
        labels: { target_service: service },
      })),
    relabel_configs: [
      { source_labels: ['__address__'], target_label: '__param_target' },
      { source_labels: ['__param_target'], target_label: 'instance' },
      { target_label: '__address__', replacement: targets.blackbox },
    ],
  };
}

/** How the blackbox exporter asks. A page that is served without its program is no success. */
export function blackboxConfig(): unknown {
  const http = { valid_http_versions: ['HTTP/1.1', 'HTTP/2.0'], method: 'GET', preferred_ip_protocol: 'ip4' };
  return {
    modules: {
      ready: {
        prober: 'http',
        timeout: '4s',
        http: { ...http, fail_if_body_not_matches_regexp: ['"status":"ready"'] },
      },
      console_page: {
        prober: 'http',
        timeout: '4s',
        http: { ...http, fail_if_body_not_matches_regexp: ['<div id="root">', '<script type="module"'] },
      },
      tcp: { prober: 'tcp', timeout: '4s' },
    },
  };
}
