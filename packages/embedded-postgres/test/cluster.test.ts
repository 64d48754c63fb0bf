import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { restoreSymlinks } from '../src/binaries.ts';
import { findBinaries, prepareCluster, removeDataDir, startPostgresServer } from '../src/index.ts';
import { stopStrayServer } from '../src/stray.ts';
import { reachableBinaries, unprivilegedUser } from '../src/unprivileged.ts';

const notRoot = process.getuid?.() !== 0 && 'not root';

describe('preparing a cluster', () => {
  let folder: string;
  let dataDir: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark prepare-'));
    await chmod(folder, 0o755);
    dataDir = join(folder, 'data');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const prepare = (into = dataDir) =>
    prepareCluster({ dataDir: into, host: '127.0.0.1', port: 1, user: 'me', password: 'x', throwAway: true });

  test('a kill half way leaves nothing that stops the next start', async () => {
    const script = fileURLToPath(new URL('fixtures/prepare.ts', import.meta.url));
    const begun = appearance(folder, /\.partial-/);
    const child = spawn(process.execPath, [script, dataDir], { stdio: 'ignore' });
    await begun;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    assert.equal((await prepare()).initialised, true);
    assert.deepEqual(await readdir(folder), ['data']);
    assert.equal((await prepare()).initialised, false);
  });

  test('several at once in different folders do not disturb each other, on ports of their own', async () => {
    const servers = await Promise.all(
      ['a', 'b'].map(name => startPostgresServer({ dataDir: join(folder, name), throwAway: true })),
    );
    assert.equal(new Set(servers.map(({ port }) => port)).size, 2);
    await Promise.all(servers.map(server => server.stop('immediate')));
  });

  test('several at once in the same empty folder make one cluster', async () => {
    await mkdir(dataDir);
    const specs = await Promise.all([prepare(), prepare()]);
    assert.ok(specs.every(({ args }) => args.includes(dataDir)));
    assert.deepEqual(await readdir(folder), ['data']);
    assert.match(await readFile(join(dataDir, 'PG_VERSION'), 'utf8'), /^18/);
  });

  test('files that are no database are left alone', async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'thesis.txt'), 'years of work');
    await assert.rejects(prepare(), {
      code: 'POSTGRES_DATA_FOREIGN',
      message: /holds files, but no database/,
    });
    assert.deepEqual(await readdir(folder), ['data']);
    assert.deepEqual(await readdir(dataDir), ['thesis.txt']);
  });

  test('the database of another user is told, not served', { skip: notRoot }, async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'PG_VERSION'), '18\n');
    await chown(dataDir, 12_345, 12_345);
    await assert.rejects(prepare(), {
      code: 'POSTGRES_OTHER_OWNER',
      message: /belongs to another user \(id 12345\)/,
    });
  });

  test('a database in a folder that has been closed is told, not replaced by an empty one', {
    skip: notRoot,
  }, async () => {
    const closed = join(folder, 'closed');
    await mkdir(join(closed, 'data'), { recursive: true });
    await writeFile(join(closed, 'data', 'PG_VERSION'), '18\n');
    await chmod(closed, 0o700);
    await assert.rejects(prepare(join(closed, 'data')), { code: 'POSTGRES_OTHER_OWNER' });
    assert.deepEqual(await readdir(join(closed, 'data')), ['PG_VERSION']);
  });

  test('removing the data removes what a killed initialisation left, and what lies elsewhere', async () => {
    await mkdir(`${dataDir}.partial-abc/data`, { recursive: true });
    await mkdir(join(folder, 'other'));
    await prepare();
    await mkdir(`${dataDir}.partial-def`);
    await removeDataDir(dataDir);
    assert.deepEqual(await readdir(folder), ['other']);
  });

  test('a process that only has the id of an earlier server is left alone', async () => {
    const other = spawn(process.execPath, [
      '-e',
      'setInterval(() => {}, 1000)',
      'postgres',
      '-D',
      `${dataDir}2`,
    ]);
    await once(other, 'spawn');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'postmaster.pid'), `${other.pid}\n${dataDir}\n`);
    assert.equal(await stopStrayServer(dataDir), false);
    assert.equal(other.exitCode ?? other.signalCode, null);
    const ended = once(other, 'exit');
    other.kill('SIGKILL');
    await ended;
    assert.equal(await stopStrayServer(dataDir), false);
  });
});

describe('the programs', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-programs-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('lack of a platform is told with what to do', async () => {
    await assert.rejects(findBinaries('plan9', 'mips'), {
      code: 'POSTGRES_UNAVAILABLE',
      message: 'no PostgreSQL for plan9-mips is installed',
      hint: /DATABASE_URL/,
    });
  });

  test('missing links are restored, by several at once too, and what is there is left', async () => {
    const lib = join(folder, 'native', 'lib');
    await mkdir(lib, { recursive: true });
    await writeFile(join(lib, 'libpq.so.5.18'), 'library');
    await writeFile(join(lib, 'kept.so'), 'a file of its own');
    const links = ['libpq.so', 'libpq.so.5', 'kept.so'].map(name => ({
      source: 'native/lib/libpq.so.5.18',
      target: `native/lib/${name}`,
    }));
    await writeFile(join(folder, 'native', 'pg-symlinks.json'), JSON.stringify(links));
    await Promise.all([1, 2, 3].map(() => restoreSymlinks(join(folder, 'native'))));
    assert.equal(await readFile(join(lib, 'libpq.so.5'), 'utf8'), 'library');
    assert.equal(await readFile(join(lib, 'libpq.so'), 'utf8'), 'library');
    assert.equal(await readFile(join(lib, 'kept.so'), 'utf8'), 'a file of its own');
  });

  test('under root they are copied to where the server’s user can go, once for several', {
    skip: notRoot,
  }, async () => {
    const home = join(folder, 'native');
    await mkdir(join(home, 'bin'), { recursive: true });
    for (const name of ['initdb', 'postgres'])
      await writeFile(join(home, 'bin', name), name, { mode: 0o755 });
    const [initdb, postgres] = [join(home, 'bin', 'initdb'), join(home, 'bin', 'postgres')];
    const user = await unprivilegedUser();
    assert.ok(user);
    const copy = (version: string) => reachableBinaries(user, { home, initdb, postgres, version });
    const [first, second, later] = await Promise.all([copy('18.4'), copy('18.4'), copy('18.5')]);
    try {
      assert.deepEqual(first, second);
      assert.equal(await readFile(first.postgres, 'utf8'), 'postgres');
      assert.notEqual(later.home, first.home, 'another version is not served by an old copy');
    } finally {
      for (const { home } of [first, later]) await rm(home, { recursive: true });
    }
  });
});

/** Resolves when the folder has an entry whose name matches. */
function appearance(folder: string, name: RegExp): Promise<void> {
  return new Promise(resolve => {
    const watcher = watch(folder, (_event, entry) => {
      if (entry === null || !name.test(entry)) return;
      watcher.close();
      resolve();
    });
  });
}
