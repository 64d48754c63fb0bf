import type { DataFolder } from '../data-folder.ts';

/** What a stack is made of, decided by flags and environment before anything starts. */
export interface StackOptions {
  readonly folder: DataFolder;
  /** Added to every port. */
  readonly portOffset: number;
  /** Names of the services that are wanted; all when absent. What they need comes with them. */
  readonly only?: readonly string[] | undefined;
  /** PostgreSQL of the user's own to capture beside the stack's. */
  readonly source?: string | undefined;
  /** Environment that the services inherit. `DATABASE_URL` and `KAFKA_BROKERS` in it replace the embedded ones. */
  readonly env: Readonly<Record<string, string | undefined>>;
}
