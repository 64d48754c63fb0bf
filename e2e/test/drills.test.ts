import { drills } from '../src/scenarios/drills.ts';
import { startStack } from '../src/stack.ts';

drills({
  title: 'drills on the running stack',
  start: () => startStack({ env: { LAG_INTERVAL: '500ms' } }),
});
