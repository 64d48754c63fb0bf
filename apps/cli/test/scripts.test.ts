import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The scripts of the repository in a folder of their own, with a Node and an npm that only look like ones. */
describe('the scripts', () => {
  let folder: string;
  let clone: string;
  let bin: string;

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'tidemark scripts-')));
    clone = join(folder, 'a clone');
    bin = join(folder, 'bin');
    for (const path of [clone, bin]) await mkdir(path);
    for (const name of ['run.sh', 'install.sh', 'tidemark'])
      await copyFile(join(repository, name), join(clone, name));
    await writeFile(join(clone, 'package-lock.json'), '{}');
    // The tools that the scripts use, so that nothing else of this machine is on their path.
    for (const tool of ['sh', 'dirname', 'readlink', 'cmp', 'cp', 'mkdir', 'cat', 'chmod', 'rm']) {
      await symlink(which(tool), join(bin, tool));
    }
    await program('sleep', ':');
    await program(
      'node',
      `case "$*" in *versions*) echo 22 ;; --version) echo v22.0.0 ;; *) echo "machine node: $*" ;; esac`,
    );
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const program = async (name: string, body: string) => {
    await writeFile(join(bin, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(bin, name), 0o755);
  };
  /** An npm whose `ci` fails so often, then brings a Node that tells its arguments and folder. */
  const npm = (failures: number) =>
    program(
      'npm',
      `echo "npm $*" >> "${folder}/npm-calls"
      tries=$(cat "${folder}/tries" 2>/dev/null || echo 0)
      [ "$tries" -ge ${failures} ] || { echo $((tries + 1)) > "${folder}/tries"; echo 'npm error network' >&2; exit 1; }
      rm -rf node_modules && mkdir -p node_modules/.bin
      printf '#!/bin/sh\\necho "brought node: $*"\\npwd\\n' > node_modules/.bin/node
      chmod +x node_modules/.bin/node`,
    );
  const run = (script: string, args: readonly string[] = [], cwd = clone) =>
    new Promise<Ended>(resolve => {
      execFile(script, args, { cwd, env: { PATH: bin, CDPATH: folder } }, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
    });
  const npmCalls = async () => (await readFile(join(folder, 'npm-calls'), 'utf8')).trim().split('\n');

  test('run.sh installs once and hands its arguments to tidemark up', async () => {
    await npm(0);
    const first = await run('./run.sh', ['--data', 'a b', '--only', 'api']);
    const main = join(clone, 'apps/cli/src/main.ts');
    assert.equal(first.stderr, '');
    assert.equal(
      first.stdout,
      `  installing packages (once) …\nbrought node: ${main} up --data a b --only api\n${clone}\n`,
    );
    assert.equal((await run('./run.sh')).stdout, `brought node: ${main} up\n${clone}\n`);
    assert.deepEqual(await npmCalls(), ['npm ci --loglevel=error --no-audit --no-fund']);
  });

  test('run.sh installs again when the lock file has changed', async () => {
    await npm(0);
    await run('./run.sh');
    await writeFile(join(clone, 'package-lock.json'), '{"changed":true}');
    await run('./run.sh');
    assert.equal((await npmCalls()).length, 2);
  });

  test('run.sh stays in the folder of its caller, which is what --data is relative to', async () => {
    await npm(0);
    const elsewhere = await run(join(clone, 'run.sh'), [], folder);
    assert.match(elsewhere.stdout, new RegExp(`${folder}\\n$`));
  });

  test('run.sh tries a failed installation again, and gives up with one line', async () => {
    await npm(1);
    const recovered = await run('./run.sh');
    assert.equal(recovered.code, 0);
    assert.match(recovered.stdout, /trying again \(2 of 3\)/);
    await rm(join(clone, 'node_modules'), { recursive: true });
    await npm(100);
    const lost = await run('./run.sh');
    assert.equal(lost.code, 1);
    assert.match(
      lost.stderr,
      /^(npm error network\n){3}tidemark: the packages could not be installed; .*\n$/,
    );
  });

  for (const [what, body, says] of [
    [
      'too old',
      'case "$*" in *versions*) echo 18 ;; --version) echo v18.20.1 ;; esac',
      'Node.js v18.20.1 is too old; install version 20 or newer',
    ],
    [
      'ancient',
      'case "$*" in *versions*) echo 0 ;; --version) echo v0.10.48 ;; esac',
      'Node.js v0.10.48 is too old; install version 20 or newer',
    ],
    [
      'broken',
      'exit 127',
      'the node on your PATH does not run; install version 20 or newer from https://nodejs.org',
    ],
  ] as const) {
    test(`run.sh says in one line that Node is ${what}`, async () => {
      await npm(0);
      await program('node', body);
      assert.deepEqual(await run('./run.sh'), { code: 1, stdout: '', stderr: `tidemark: ${says}\n` });
    });
  }

  test('run.sh says in one line that Node, or npm, is not there', async () => {
    assert.equal(
      (await run('./run.sh')).stderr,
      'tidemark: npm is not installed; it usually comes with Node.js\n',
    );
    await rm(join(bin, 'node'));
    assert.match((await run('./run.sh')).stderr, /^tidemark: Node\.js is not installed; .*\n$/);
  });

  test('run.sh says what to do when npm brought no Node that is new enough', async () => {
    await program('npm', 'mkdir -p node_modules');
    await program(
      'node',
      'case "$*" in *versions*exit*|*process.exit*) exit 1 ;; *versions*) echo 22 ;; esac',
    );
    const { code, stderr } = await run('./run.sh');
    assert.equal(code, 1);
    assert.match(stderr, /^tidemark: npm could not install its package "node" .*\n$/);
  });

  test('tidemark finds itself through links, from any folder', async () => {
    await npm(0);
    await run('./run.sh');
    await mkdir(join(folder, 'links'));
    await symlink('../a clone/tidemark', join(folder, 'links', 'relative'));
    await symlink(join(folder, 'links', 'relative'), join(folder, 'links', 'twice'));
    for (const link of ['relative', 'twice']) {
      const { stdout } = await run(join(folder, 'links', link), ['status', '--data', 'a b'], folder);
      assert.equal(
        stdout,
        `brought node: ${join(clone, 'apps/cli/src/main.ts')} status --data a b\n${folder}\n`,
      );
    }
  });

  test('tidemark without its packages says what to do', async () => {
    const { code, stderr } = await run('./tidemark', ['up']);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `tidemark: its packages are not installed; run ${clone}/run.sh, or npm ci in ${clone}\n`,
    );
  });
});

test('shellcheck finds nothing in the scripts', {
  skip: spawnSync('shellcheck', ['--version']).error && 'shellcheck is not installed',
}, () => {
  const { stdout } = spawnSync('shellcheck', ['-x', 'run.sh', 'install.sh', 'tidemark'], {
    cwd: repository,
    encoding: 'utf8',
  });
  assert.equal(stdout, '');
});

test('the lock file names the packages of every platform, without which npm ci refuses it', async () => {
  const lock = JSON.parse(await readFile(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Record<
      string,
      { optionalDependencies?: Record<string, string>; resolved?: string; link?: boolean }
    >;
  };
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      name =>
        !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
    ),
  );
  assert.deepEqual(missing, []);
  const pinnedToHost = Object.values(lock.packages).filter(
    ({ resolved, link }) => resolved !== undefined && link !== true,
  );
  assert.deepEqual(pinnedToHost, []);
});

function which(tool: string): string {
  const { stdout } = spawnSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' });
  return stdout.trim();
}
