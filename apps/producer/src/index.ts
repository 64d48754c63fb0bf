export { compose } from './compose.ts';
export { type ProducerConfig, producerConfig } from './config.ts';
export { defaultShape, EventGenerator, type TrafficShape } from './event-generator.ts';
export { type ProduceOptions, type ProduceResult, produce } from './produce.ts';
export type { ProductionProgress } from './steady-production.ts';
