import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

interface Diagnostic {
  readonly message: string;
  readonly filename: string;
}

/**
 * Functions with more lines of code than size-rules.json allows, as `file#name` → lines. The linter counts, because
 * it has parsed the code; comments and blank lines are free.
 */
export function longFunctions(root: string, files: readonly string[]): Record<string, number> {
  const run = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/oxlint/bin/oxlint'),
      '-c',
      'e2e/tidy/size-rules.json',
      '--format',
      'json',
      ...files,
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const { diagnostics } = JSON.parse(run.stdout) as { diagnostics: readonly Diagnostic[] };
  return Object.fromEntries(
    diagnostics.map(({ filename, message }) => {
      const match = /^The [^`]*?(?:`([^`]+)` )?has too many lines \((\d+)\)/.exec(message);
      if (!match) throw new Error(`a message of the linter that this check does not know: ${message}`);
      return [`${filename}#${match[1] ?? 'anonymous'}`, Number(match[2])];
    }),
  );
}
