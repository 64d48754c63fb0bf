export * from './api.ts';
export * from './dead-letters.ts';
export * from './event.ts';
export * from './names.ts';
