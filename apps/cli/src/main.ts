import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Most of a start is reading and compiling code: what was compiled once is kept beside the packages it came from. Whoever
// set NODE_COMPILE_CACHE has chosen another place; where the folder cannot be written, starts are slower, no more.
enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/tidemark/', import.meta.url)));

const [{ runCli }, { runCommandLine }] = await Promise.all([import('./cli.ts'), import('./command-line.ts')]);
await runCommandLine(process, runCli);
