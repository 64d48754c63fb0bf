export { type CaptureService, compose } from './compose.ts';
export { captureConfig } from './config.ts';
