/** Facts about an error that a caller or an operator can act on: names, numbers, paths. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | bigint | null | undefined>>;

export interface TidemarkErrorOptions {
  /** The error underneath, if any. */
  readonly cause?: unknown;
  /** What the reader should do now, as one imperative sentence. */
  readonly hint?: string;
  readonly facts?: ErrorFacts;
}

/**
 * Every expected failure of Tidemark is one of these: a stable code for programs, a message that says what was
 * wrong, and a hint that says what to do. A user's mistake is printed as message and hint, without a stack.
 */
export class TidemarkError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly facts: ErrorFacts;

  constructor(code: string, message: string, options: TidemarkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TidemarkError';
    this.code = code;
    this.hint = options.hint;
    this.facts = options.facts ?? {};
  }
}

/** True for errors that Tidemark raised on purpose; anything else is a defect and deserves its stack. */
export function isTidemarkError(error: unknown): error is TidemarkError {
  return error instanceof TidemarkError;
}

/** The `code` of any error (Tidemark, Node system error, SQLSTATE), or undefined. Never throws on foreign values. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** How many causes a description follows; beyond that, or in a circle, they tell a person nothing any more. */
const causesMax = 5;

/** One line for humans from anything that was thrown, with the causes in brackets. */
export function describeError(error: unknown, causes = causesMax): string {
  if (!(error instanceof Error)) return String(error);
  const text = ownText(error, causes);
  return error.cause === undefined || causes === 0
    ? text
    : `${text} (${describeError(error.cause, causes - 1)})`;
}

function ownText(error: Error, causes: number): string {
  if (error.message !== '') return error.message;
  // A connection refused on every address of a name is an AggregateError without a message of its own.
  if (error instanceof AggregateError && error.errors.length > 0 && causes > 0) {
    return error.errors.map(each => describeError(each, causes - 1)).join('; ');
  }
  return errorCode(error) ?? error.name;
}
