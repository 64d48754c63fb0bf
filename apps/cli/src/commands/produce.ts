import { type Config, type ConfigSpec, loadConfig } from '@tidemark/config';
import { type ProductionProgress, produce, trafficOf, trafficSettings } from '@tidemark/connectors/synthetic';
import { exitCodes } from '@tidemark/kernel';
import { type Command, type CommandContext, type CommandInput, dataOption } from '../command.ts';
import { explained, placesOf } from '../stack/connections.ts';
import type { Terminal } from '../terminal.ts';

/** The setting that each flag stands for; a flag wins over the environment. */
const settingOf = {
  rate: 'RATE_PER_SEC',
  duration: 'DURATION',
  'hot-key-pct': 'HOT_KEY_PCT',
  keys: 'KEYS',
  seed: 'SEED',
  'poison-pct': 'POISON_PCT',
  'duplicate-pct': 'DUPLICATE_PCT',
  topic: 'KAFKA_TOPIC',
} as const satisfies Record<string, keyof typeof trafficSettings>;

/** Produces synthetic review events. */
export const produceCommand: Command = {
  name: 'produce',
  summary: 'produce synthetic review events at a steady rate (Ctrl-C ends it)',
  options: {
    rate: { type: 'string', value: 'N', doc: 'events a second (RATE_PER_SEC, default 10)' },
    duration: {
      type: 'string',
      value: 'TIME',
      doc: 'such as 30s or 5m (DURATION; until Ctrl-C unless given)',
    },
    'hot-key-pct': {
      type: 'string',
      value: 'P',
      doc: 'share of the hot fifth of the keys (HOT_KEY_PCT, default 80)',
    },
    keys: { type: 'string', value: 'N', doc: 'different keys (KEYS, default 100)' },
    seed: { type: 'string', value: 'N', doc: 'repeats keys, ratings and faults of an earlier run (SEED)' },
    'poison-pct': {
      type: 'string',
      value: 'P',
      doc: 'events that cannot be processed (POISON_PCT, default 0)',
    },
    'duplicate-pct': {
      type: 'string',
      value: 'P',
      doc: 'events that are sent twice (DUPLICATE_PCT, default 0)',
    },
    topic: { type: 'string', value: 'NAME', doc: 'where they go (KAFKA_TOPIC, default events.main)' },
    data: dataOption,
  },
  async run(input, context) {
    const { terminal, interrupted } = context;
    const config = loadFlags(trafficSettings, settingOf, input, context);
    const places = await placesOf(input, context);
    const { seed, durationMs, ...traffic } = trafficOf(config);
    const progress = new ProgressLine(terminal, config.RATE_PER_SEC);
    const result = await explained(places, () =>
      produce({
        ...traffic,
        seed,
        brokers: places.kafka.brokers,
        topic: config.KAFKA_TOPIC,
        durationMs: durationMs === 0 ? Infinity : durationMs,
        signal: interrupted,
        onProgress: now => progress.show(now),
      }),
    );
    progress.end(result, result.seed);
    return result.failed === 0 ? exitCodes.ok : exitCodes.failed;
  },
};

/** Reads a configuration from flags and environment; a faulty flag is a matter of usage. */
function loadFlags<S extends ConfigSpec>(
  spec: S,
  flags: Readonly<Record<string, keyof S & string>>,
  input: CommandInput,
  { env }: CommandContext,
): Config<S> {
  const given = Object.entries(flags).flatMap(([flag, name]): [string, string][] => {
    const value = input.text(flag);
    if (value === undefined) return [];
    try {
      spec[name]?.parse(value);
    } catch (error) {
      throw input.refuse(
        `--${flag} ${error instanceof Error ? error.message : String(error)}, not "${value}"`,
      );
    }
    return [[name, value]];
  });
  return loadConfig(spec, { ...env, ...Object.fromEntries(given) });
}

/** Says on the terminal how the production goes, and when it cannot keep its rate. */
class ProgressLine {
  readonly #terminal: Terminal;
  readonly #ratePerSec: number;
  #saturated = false;
  #everSaturated = false;

  constructor(terminal: Terminal, ratePerSec: number) {
    this.#terminal = terminal;
    this.#ratePerSec = ratePerSec;
  }

  show(now: ProductionProgress): void {
    const { saturated } = now;
    if (saturated && !this.#saturated) {
      this.#everSaturated = true;
      this.#terminal.warn(
        `  the broker does not take ${this.#ratePerSec} events a second; it gets ${rate(now)}`,
      );
    }
    if (!saturated && this.#saturated)
      this.#terminal.warn(`  the rate of ${this.#ratePerSec} a second is kept again`);
    this.#saturated = saturated;
    const failed = now.failed > 0 ? `, ${now.failed} failed` : '';
    this.#terminal.progress(`  ${now.acknowledged} events, ${rate(now)} a second${failed}`);
  }

  end(result: ProductionProgress, seed: number): void {
    const { acknowledged, failed, elapsedMs } = result;
    this.#terminal.print(
      `  ${acknowledged} events in ${(elapsedMs / 1000).toFixed(1)} s, ${rate(result)} a second; seed ${seed}`,
    );
    if (failed > 0) this.#terminal.warn(`  ${failed} events could not be sent`);
    if (this.#everSaturated || result.saturated) {
      this.#terminal.warn(`  ${this.#ratePerSec} events a second was more than the broker takes`);
    }
  }
}

function rate({ acknowledged, elapsedMs }: ProductionProgress): number {
  return Math.round((acknowledged / Math.max(1, elapsedMs)) * 1000);
}
