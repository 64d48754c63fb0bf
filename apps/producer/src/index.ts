export { compose } from './compose.ts';
export { type ProducerConfig, producerConfig } from './config.ts';
