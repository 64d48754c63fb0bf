import { runMain } from '@tidemark/kernel';
import { compose } from './compose.ts';

await runMain(process, 'console', compose);
