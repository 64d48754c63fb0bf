import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Program {
  readonly name: string;
  /** Why the tests that need it are skipped; undefined when it is there. */
  readonly missing: string | undefined;
}

/** Looks for a program of Debian's packages, and says loudly when it is not there. */
export function program(name: string, debianPackage: string): Program {
  if (spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) return { name, missing: undefined };
  const missing = `${name} is not installed; apt-get install ${debianPackage}`;
  process.stderr.write(`\n*** SKIPPED: ${missing}\n\n`);
  return { name, missing };
}

export const promtool = program('promtool', 'prometheus');
export const amtool = program('amtool', 'prometheus-alertmanager');

export interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

export function run(command: string, args: readonly string[], cwd?: string): Promise<Outcome> {
  return new Promise(resolve => {
    execFile(command, args, { cwd, maxBuffer: 256 * 1024 ** 2 }, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: `${stdout}${stderr}` });
    });
  });
}

/** Runs a program whose complaints have to stand where they belong among its other lines. */
function runMixed(command: string, args: readonly string[], cwd: string): Promise<Outcome> {
  return run('sh', ['-c', 'exec "$0" "$@" 2>&1', command, ...args], cwd);
}

/** A test file and its rule files; names are relative to a folder of their own. */
export interface RuleTest {
  readonly name: string;
  readonly rules: readonly string[];
  readonly test: unknown;
}

/**
 * Runs test files of promtool and answers the outcome of each by name. Many files share a process, and JSON is YAML.
 */
export async function testRules(
  ruleFiles: Readonly<Record<string, unknown>>,
  tests: readonly RuleTest[],
  processes = 2,
): Promise<ReadonlyMap<string, Outcome>> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-rules-'));
  try {
    for (const [name, file] of Object.entries(ruleFiles)) {
      await writeFile(join(folder, `${name}.yml`), JSON.stringify(file));
    }
    for (const { name, rules, test } of tests) {
      const file = { ...(test as object), rule_files: rules.map(rule => `${rule}.yml`) };
      await writeFile(join(folder, `${name}.test.yml`), JSON.stringify(file));
    }
    const share = Math.ceil(tests.length / processes);
    const shares = Array.from({ length: processes }, (_, index) =>
      tests.slice(index * share, (index + 1) * share),
    ).filter(each => each.length > 0);
    const outcomes = await Promise.all(
      shares.map(async each =>
        outcomesIn(
          await runMixed(
            promtool.name,
            ['test', 'rules', ...each.map(({ name }) => `${name}.test.yml`)],
            folder,
          ),
        ),
      ),
    );
    return new Map(outcomes.flat());
  } finally {
    await rm(folder, { recursive: true });
  }
}

function outcomesIn({ output }: Outcome): [string, Outcome][] {
  return output
    .split(/^Unit Testing: {2}/m)
    .slice(1)
    .map(part => {
      const [file = '', ...rest] = part.split('\n');
      const text = rest.join('\n');
      return [file.replace(/\.test\.yml$/, ''), { ok: /^ {2}SUCCESS/m.test(text), output: text.trim() }];
    });
}
