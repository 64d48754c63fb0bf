import { parseArgs } from 'node:util';
import { TidemarkError } from '@tidemark/kernel';
import type { Terminal } from './terminal.ts';

/** What a command may use of the process it runs in. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first request to end: a signal, or the end of whoever reads the output. */
  readonly interrupted: AbortSignal;
  /** Aborted by the second request: what still runs is to be ended at once. */
  readonly impatient: AbortSignal;
  /** Talks to the `up` that started this process detached; absent when it was not. */
  readonly parent?: ParentLink | undefined;
}

export interface ParentLink {
  send(message: ParentMessage): void;
}

/** What a detached stack tells the command that started it. */
export type ParentMessage =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'up' }
  | { readonly kind: 'failed'; readonly text: string };

/** An option of a command, as `parseArgs` of Node wants it, with its documentation. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Name of the value in the usage text. */
  readonly value?: string;
  readonly doc: string;
}

export interface Command {
  readonly name: string;
  /** Positional arguments as the usage text shows them: `SERVICE` required, `[SERVICE]` optional, `[ID…]` any number. */
  readonly positionals?: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** One line. */
  readonly summary: string;
  /** Commands below this one, named `<this> <member>`; the first argument may choose one. */
  members?(): Promise<readonly Command[]>;
  /** Answers with the exit code. */
  run(input: CommandInput, context: CommandContext): Promise<number>;
}

export interface CommandInput {
  readonly positionals: readonly string[];
  text(option: string): string | undefined;
  flag(option: string): boolean;
  /** A whole number from 0 to `max`. */
  integer(option: string, fallback: number, max: number): number;
  /** Options that were given. */
  readonly given: readonly string[];
  /** The error for a value that makes no sense, with the usage of the command. */
  refuse(problem: string): TidemarkError;
}

/**
 * Reads the arguments of a command.
 * @throws TidemarkError USAGE
 */
export function readInput(command: Command, args: readonly string[]): CommandInput {
  const { values, positionals } = parse(command, args);
  const allowed = command.positionals ?? [];
  const required = allowed.filter(name => !name.startsWith('[')).length;
  if (positionals.length > allowed.length && !allowed.at(-1)?.endsWith('…]'))
    throw usage(command, `unexpected argument ${positionals[allowed.length]}`);
  if (positionals.length < required) throw usage(command, `${allowed[positionals.length]} is missing`);
  const text = (option: string) => {
    const value = values[option];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    positionals,
    text,
    flag: option => values[option] === true,
    given: Object.keys(values),
    refuse: problem => usage(command, problem),
    integer(option, fallback, max) {
      const value = text(option);
      if (value === undefined) return fallback;
      if (!/^\d+$/.test(value) || Number(value) > max) {
        throw usage(command, `--${option} takes a whole number from 0 to ${max}, not "${value}"`);
      }
      return Number(value);
    },
  };
}

function parse(command: Command, args: readonly string[]) {
  try {
    const options = Object.fromEntries(
      Object.entries(command.options).map(([name, { type, short }]) => [
        name,
        short ? { type, short } : { type },
      ]),
    );
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usage(command, error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error));
  }
}

/** A longer line helps nobody; the help has a line for each option, characters. */
const usageMax = 200;

function usage(command: Command, problem: string): TidemarkError {
  const line = usageLine(command);
  const hint = line.length <= usageMax ? `Usage: ${line}` : `See \`tidemark help ${command.name}\`.`;
  return new TidemarkError('USAGE', problem, { hint });
}

/** `tidemark up [--detach] [--data DIR]` */
export function usageLine(command: Command): string {
  const options = Object.entries(command.options).map(([name, { type, value }]) =>
    type === 'boolean' ? `[--${name}]` : `[--${name} ${value ?? 'VALUE'}]`,
  );
  return ['tidemark', command.name, ...(command.positionals ?? []), ...options].join(' ');
}

/** The option that every command about a stack takes. */
export const dataOption: OptionSpec = {
  type: 'string',
  value: 'DIR',
  doc: 'data folder (default .tidemark)',
};
