export * from './api.ts';
export * from './event.ts';
export * from './names.ts';
