import { mainJob } from '../src/scenarios/main-job.ts';
import { startStack } from '../src/stack.ts';

mainJob({ title: 'a change goes in and comes out', start: startStack });
