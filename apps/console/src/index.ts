export { type BuildOutcome, buildIfStale } from './build.ts';
export { type ComposeOptions, type ConsoleService, compose } from './compose.ts';
export { consoleConfig } from './config.ts';
