import { alertmanagerConfig } from './alertmanager.ts';
import { alertFiles } from './alerts/index.ts';
import { dashboardJson } from './grafana/dashboard.ts';
import { dashboards } from './grafana/dashboards/index.ts';
import { dashboardsConfig, datasourcesConfig } from './grafana/provisioning.ts';
import { alloyConfig, vectorConfig } from './logs.ts';
import { metricsPage } from './pages/metrics-page.ts';
import { runbookIndex } from './pages/runbook-index.ts';
import { sloPage } from './pages/slo-page.ts';
import { alertGroup } from './prometheus/alert-rules.ts';
import { blackboxConfig, prometheusConfig } from './prometheus/config.ts';
import type { RuleFile } from './prometheus/rule-file.ts';
import { sloEvents, sloFacts, sloRatios, sloSlices } from './prometheus/slo-rules.ts';
import type { Settings } from './settings.ts';
import { checkScale, checkSlo } from './slo-checks.ts';
import { slos } from './slos.ts';
import { yamlFile } from './yaml.ts';

/** Every file of rules by its name, without `.yml`. */
export function ruleFiles(settings: Settings): Readonly<Record<string, RuleFile>> {
  const { times } = settings;
  for (const slo of slos) checkSlo(slo);
  checkScale(times);
  const alerting = Object.entries(alertFiles).map(
    ([file, specs]) => [file, { groups: [alertGroup(`${file} alerts`, specs, settings)] }] as const,
  );
  return {
    'slo-facts': { groups: [sloFacts(slos)] },
    'slo-slices': { groups: [sloSlices(slos, times)] },
    'slo-events': { groups: sloEvents(slos, times) },
    'slo-ratios': { groups: sloRatios(slos, times) },
    ...Object.fromEntries(alerting),
  };
}

/** Everything that is loaded into other programs, as path below `observability/` → text. */
export function generate(settings: Settings): Readonly<Record<string, string>> {
  const rules = ruleFiles(settings);
  return {
    ...Object.fromEntries(
      Object.entries(rules).map(([name, file]) => [`prometheus/rules/${name}.yml`, yamlFile(file)]),
    ),
    'prometheus/prometheus.yml': yamlFile(
      prometheusConfig(
        settings,
        Object.keys(rules).map(name => `${name}.yml`),
      ),
    ),
    'alertmanager/alertmanager.yml': yamlFile(alertmanagerConfig(settings)),
    'blackbox.yml': yamlFile(blackboxConfig()),
    'logs/alloy.river': alloyConfig(settings),
    'logs/vector.yml': yamlFile(vectorConfig(settings)),
    'grafana/provisioning/datasources/tidemark.yml': yamlFile(datasourcesConfig(settings)),
    'grafana/provisioning/dashboards/tidemark.yml': yamlFile(dashboardsConfig()),
    ...Object.fromEntries(
      dashboards.map(dashboard => [
        `grafana/dashboards/${dashboard.key}.json`,
        `${JSON.stringify(dashboardJson(dashboard, settings), null, 2)}\n`,
      ]),
    ),
  };
}

/** Pages for people, as path below the repository → text. */
export function pages(): Readonly<Record<string, string>> {
  return { 'docs/metrics.md': metricsPage(), 'docs/slo.md': sloPage(slos), 'RUNBOOK.md': runbookIndex() };
}
