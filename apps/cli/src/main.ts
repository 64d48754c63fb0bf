import { runCli } from './cli.ts';
import { runCommandLine } from './command-line.ts';

await runCommandLine(process, runCli);
