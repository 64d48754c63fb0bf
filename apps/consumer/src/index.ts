export { compose } from './compose.ts';
export { type ConsumerConfig, consumerConfig } from './config.ts';
