import { killWhileChangesFlow } from '../src/scenarios/kill.ts';
import { startStack } from '../src/stack.ts';

killWhileChangesFlow(
  { title: 'kill -9 of each service in turn while changes flow', start: startStack },
  // The database last, because its death ends the writer's connection.
  ['capture', 'consumer', 'broker', 'api', 'producer', 'console', 'postgres'],
);
