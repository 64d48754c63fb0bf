import process from 'node:process';
import { runMain } from '@tidemark/kernel';
import { compose } from './compose.ts';

await runMain(process, 'api', compose);
