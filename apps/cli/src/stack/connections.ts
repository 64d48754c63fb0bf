import { createPool, type KafkaConnection, type Pool } from '@tidemark/connectors';
import { errorCode, isTidemarkError, TidemarkError } from '@tidemark/kernel';
import type { CommandContext, CommandInput } from '../command.ts';
import { viewStack } from '../commands/stack-command.ts';
import { addressesOf } from './addresses.ts';
import { databaseUnreachable } from './database.ts';

/** SQLSTATEs of statements about a table, column or function that is not there (PostgreSQL docs, appendix A). */
const notMigratedStates = new Set(['42P01', '42703', '42883']);
/** Codes that the Kafka client gives to everything that it cannot do. */
const kafkaCode = /^PLT_KFK_/;
/** Classes of SQLSTATEs, and codes of the system, for a server that is not to be had. */
const unreachable = /^(?:08...|28...|3D000|53...|57P0.|E[A-Z_]+)$/;

/** Where the database and the brokers of a command are: its stack's, unless the environment names others. */
export interface Places {
  readonly databaseUrl: string;
  readonly kafka: KafkaConnection;
}

export async function placesOf(input: CommandInput, { env }: CommandContext): Promise<Places> {
  const { state } = await viewStack(input);
  const { databaseUrl, brokers } = addressesOf(state?.portOffset ?? 0, env);
  return {
    databaseUrl,
    kafka: { brokers: brokers.split(',').map(broker => broker.trim()), clientId: 'tidemark-cli' },
  };
}

/** Runs work on a pool of its own, and explains to people what goes wrong on the way to database and broker. */
export async function withPool<T>(places: Places, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = createPool({
    databaseUrl: places.databaseUrl,
    applicationName: 'tidemark-cli',
    connections: 2,
    onLost: () => {}, // the statement that runs on it reports that
  });
  try {
    return await explained(places, () => work(pool));
  } finally {
    await pool.end();
  }
}

/** Runs work and explains why database or broker did not answer. */
export async function explained<T>(places: Places, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explain(error, places);
  }
}

function explain(error: unknown, { databaseUrl, kafka }: Places): unknown {
  const code = errorCode(error) ?? '';
  if (isTidemarkError(error)) return error;
  if (notMigratedStates.has(code)) {
    return new TidemarkError(
      'DATABASE_NOT_MIGRATED',
      'the database does not have the tables of this version',
      {
        cause: error,
        hint: 'Start the stack with `tidemark up`, which creates them.',
      },
    );
  }
  if (kafkaCode.test(code)) {
    return new TidemarkError(
      'BROKER_FAILED',
      `the broker at ${kafka.brokers.join(', ')} does not do what was asked`,
      {
        cause: error,
        hint: 'Start the stack with `tidemark up`, or point KAFKA_BROKERS at the right brokers.',
      },
    );
  }
  const lost = error instanceof Error && /^(?:Connection terminated|timeout exceeded)/.test(error.message);
  return lost || unreachable.test(code) || error instanceof AggregateError
    ? databaseUnreachable(databaseUrl, error)
    : error;
}
