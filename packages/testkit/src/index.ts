export { freePort } from '@tidemark/embedded-postgres';
export { endProcess } from './end-process.ts';
export { type EventuallyOptions, eventually } from './eventually.ts';
export { startPostgres, type TestPostgres, type TestPostgresOptions } from './postgres.ts';
