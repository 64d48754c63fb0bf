export { compose } from './compose.ts';
export { type ApiConfig, configSpec } from './config.ts';
