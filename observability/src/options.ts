import { parseArgs } from 'node:util';
import { describeError, TidemarkError } from '@tidemark/kernel';
import { timesAt } from './promql/duration.ts';
import { defaultSettings, type Settings, withPairs } from './settings.ts';

export const usage = `node observability/src/main.ts [options]

Writes rules, dashboards and configuration for Prometheus, Alertmanager, Grafana and their exporters.

  --out DIR              write below DIR instead of into the repository; pages are left out
  --check                write nothing; exit with 1 when something is not current
  --scale N              divide all times by N, for drills
  --drill NAME           value of the label drill; alerts then go to the drill receiver as well
  --target JOB=HOST:PORT where a program is scraped (repeat)
  --receiver NAME=URL    webhook of a receiver (repeat)
  --grafana URL, --jaeger URL, --elasticsearch URL, --loki URL, --runbooks URL
  --data DIR             data folder of the stack, whose logs are shipped`;

export interface Options {
  readonly settings: Settings;
  readonly out: string | undefined;
  readonly check: boolean;
}

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;

/**
 * @throws TidemarkError `USAGE`, `SETTING_INVALID` or `SCALE_INVALID`
 */
export function settingsFrom(args: readonly string[]): Options {
  const given = parse(args);
  const scale = Number(given.scale ?? 1);
  const drill = given.drill ?? defaultSettings.drill;
  if (!/^[a-z0-9-]+$/.test(drill)) {
    throw new TidemarkError('SETTING_INVALID', `${JSON.stringify(drill)} is no name of a drill`, {
      hint: 'Use small letters, digits and dashes.',
    });
  }
  return {
    out: given.out,
    check: given.check ?? false,
    settings: {
      ...defaultSettings,
      targets: withPairs(defaultSettings.targets, given.target ?? [], 'target'),
      receivers: withPairs(defaultSettings.receivers, given.receiver ?? [], 'receiver'),
      grafanaUrl: given.grafana ?? defaultSettings.grafanaUrl,
      jaegerUrl: given.jaeger ?? defaultSettings.jaegerUrl,
      elasticsearchUrl: given.elasticsearch ?? defaultSettings.elasticsearchUrl,
      lokiUrl: given.loki ?? defaultSettings.lokiUrl,
      runbooksUrl: given.runbooks ?? defaultSettings.runbooksUrl,
      dataFolder: given.data ?? defaultSettings.dataFolder,
      drill,
      scale,
      times: timesAt(scale),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        out: text,
        check: { type: 'boolean' },
        scale: text,
        drill: text,
        target: texts,
        receiver: texts,
        grafana: text,
        jaeger: text,
        elasticsearch: text,
        loki: text,
        runbooks: text,
        data: text,
      },
    }).values;
  } catch (error) {
    throw new TidemarkError('USAGE', describeError(error), { hint: 'See --help.', cause: error });
  }
}
