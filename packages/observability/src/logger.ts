import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

/** Structured logger; one JSON object a line on stdout. */
export type Logger = PinoLogger;

/** Field paths whose values never reach a log line, wherever a careless caller puts them. */
export const redactedPaths: readonly string[] = [
  'password',
  '*.password',
  'password_hash',
  '*.password_hash',
  'token',
  '*.token',
  'secret',
  '*.secret',
  'authorization',
  '*.authorization',
  'cookie',
  '*.cookie',
  'req.headers.authorization',
  'req.headers.cookie',
];

export interface LoggerOptions {
  /** Name of the service, in every line. */
  readonly service: string;
  /** pino level name; `info` unless given. */
  readonly level?: string;
  /** Where the lines go; stdout unless given. */
  readonly destination?: DestinationStream;
}

/** A logger whose lines carry `timestamp` (ISO 8601), `level` (word), `service` and `message`. */
export function createLogger(options: LoggerOptions): Logger {
  const config = {
    level: options.level ?? 'info',
    base: { service: options.service },
    messageKey: 'message',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: [...redactedPaths], censor: '[redacted]' },
  };
  return options.destination ? pino(config, options.destination) : pino(config);
}

/** A logger that says nothing, for tests and libraries used without one. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
