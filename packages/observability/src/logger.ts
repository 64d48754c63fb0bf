import {
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type Logger as PinoLogger,
  pino,
  stdSerializers,
} from 'pino';
import { redact } from './redaction.ts';

/** Structured logger; one JSON object a line on stdout. */
export type Logger = PinoLogger;

export interface LoggerOptions {
  /** Name of the service, in every line. */
  readonly service: string;
  /** pino level name; `info` unless given. */
  readonly level?: string;
  /** Where the lines go; stdout unless given. */
  readonly destination?: DestinationStream;
}

/**
 * A logger whose lines carry `timestamp` (ISO 8601), `level` (word), `service` and `message`. Fields that look like
 * secrets by their name are masked at any depth, and so are passwords in URLs.
 */
export function createLogger(options: LoggerOptions): Logger {
  const config = {
    level: options.level ?? 'info',
    base: { service: options.service },
    messageKey: 'message',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: redact,
    },
    serializers: { err: describe, error: describe },
  };
  return redactChildren(options.destination ? pino(config, options.destination) : pino(config));
}

/** pino hands the fields of child loggers past its formatters. Children inherit the function, so theirs are covered too. */
function redactChildren(logger: Logger): Logger {
  const prototype = Object.getPrototypeOf(logger) as {
    child(bindings: Bindings, options?: ChildLoggerOptions): Logger;
  };
  function child(this: Logger, bindings: Bindings, options?: ChildLoggerOptions): Logger {
    return prototype.child.call(this, redact(bindings), options);
  }
  return Object.assign(logger, { child });
}

function describe(error: unknown): unknown {
  return error instanceof Error ? redact({ ...stdSerializers.err(error) }) : error;
}

/** A logger that says nothing, for tests and libraries used without one. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
