import type { Stack } from '../stack.ts';

/** A proof that is run on more than one stack: on the embedded broker in the quick tier, on Apache Kafka in the real one. */
export interface Scenario {
  readonly title: string;
  /** Brings up the stack that the scenario runs on and stops. */
  readonly start: () => Promise<Stack>;
  /** Why it cannot be run on this machine. */
  readonly skip?: string | false;
}
