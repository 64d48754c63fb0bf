/** For benchmarks, which get what they compare with in the way the tests do. */
export { type Available, available, need } from './availability.ts';
export { cached, download } from './cache.ts';
