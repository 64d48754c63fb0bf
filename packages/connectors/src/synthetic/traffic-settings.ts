import { type Config, defineConfig, setting } from '@tidemark/config';
import { ports, topics } from '@tidemark/contracts/names';
import type { TrafficShape } from './event-generator.ts';

/** What the synthetic traffic is like, for the service and for the command line. */
export const trafficSettings = defineConfig({
  KAFKA_BROKERS: setting.list({
    doc: 'Brokers to begin with, as host:port',
    default: [`127.0.0.1:${ports.broker}`],
  }),
  KAFKA_TOPIC: setting.text({ doc: 'Topic that events go to', default: topics.events }),
  RATE_PER_SEC: setting.number({ doc: 'Events a second', default: 10, min: 0.01, max: 1_000_000 }),
  HOT_KEY_PCT: setting.number({
    doc: 'Percentage of the events that go to the hot fifth of the keys',
    default: 80,
    min: 0,
    max: 100,
  }),
  DURATION: setting.durationMs({
    doc: 'How long the production lasts; `0s` means until it is stopped',
    default: 0,
  }),
  KEYS: setting.integer({ doc: 'Number of different keys', default: 100, min: 1, max: 10_000_000 }),
  SEED: setting.integer({
    doc: 'Repeats the same sequence of keys, ratings and faults; 0 means a new one each time',
    default: 0,
    min: 0,
    max: 4_294_967_295,
  }),
  POISON_PCT: setting.number({
    doc: 'Percentage of events that no consumer can process',
    default: 0,
    min: 0,
    max: 100,
  }),
  DUPLICATE_PCT: setting.number({
    doc: 'Percentage of events that are sent a second time',
    default: 0,
    min: 0,
    max: 100,
  }),
});

export type TrafficConfig = Config<typeof trafficSettings>;

/** The traffic that the settings ask for. A duration of 0 goes on until it is stopped. */
export function trafficOf(config: TrafficConfig): TrafficShape & {
  readonly ratePerSec: number;
  readonly durationMs: number;
  readonly seed: number;
} {
  return {
    ratePerSec: config.RATE_PER_SEC,
    durationMs: config.DURATION,
    seed: config.SEED,
    hotKeyPct: config.HOT_KEY_PCT,
    keys: config.KEYS,
    poisonPct: config.POISON_PCT,
    duplicatePct: config.DUPLICATE_PCT,
  };
}
