import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { longFunctions } from './long-functions.ts';

/**
 * House rules that a compiler does not check. What already breaks a limit stands in `ratchet.json` with its size and
 * may only shrink; nothing new may join it. `node e2e/tidy/tidy.test.ts --tighten` writes smaller sizes down.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.tsx'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(file => file !== '');
const sourceOf = new Map(files.map(file => [file, readFileSync(join(root, file), 'utf8')]));
const production = files.filter(file =>
  /^(apps|packages)\/[^/]+\/src\/|^(db|observability)\/src\//.test(file),
);

/** Lines of a file that nobody should have to scroll past; functions have their limit in size-rules.json. */
const limits = { file: 300, function: 70 } as const;
const ratchetFile = join(root, 'e2e/tidy/ratchet.json');
const ratchet = JSON.parse(readFileSync(ratchetFile, 'utf8')) as Record<string, number>;

/** A package imports only packages of lower layers; apps are on top and import no app. */
const layers: Readonly<Record<string, number>> = {
  kernel: 0,
  contracts: 1,
  'canal-json': 1,
  config: 1,
  observability: 1,
  'embedded-postgres': 2,
  pipeline: 2,
  broker: 2,
  connectors: 3,
  db: 3,
  testkit: 4,
  drills: 4,
  monitoring: 4,
};
const appLayer = 5;
const pure = ['packages/canal-json/src/', 'packages/pipeline/src/', 'packages/contracts/src/'];

/** Folders of the repository whose package is called otherwise. */
const packageNames: Readonly<Record<string, string>> = { observability: 'monitoring' };
const homeOf = (file: string) => {
  const top = file.split('/')[0] ?? '';
  return /^(?:apps|packages)\/([^/]+)\//.exec(file)?.[1] ?? packageNames[top] ?? top;
};
const isApp = (file: string) => file.startsWith('apps/');
const layerOf = (file: string) => (isApp(file) ? appLayer : (layers[homeOf(file)] ?? appLayer));

function importsOf(file: string): readonly string[] {
  const source = sourceOf.get(file) ?? '';
  return [...source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^'\s]+)'/g)].map(match => match[1] ?? '');
}

/** Code without comments and strings, for rules about what is called. */
function codeOf(file: string): string {
  return (sourceOf.get(file) ?? '')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

function offenders(among: readonly string[], pattern: RegExp): readonly string[] {
  return among.filter(file => pattern.test(codeOf(file)));
}

describe('layering', () => {
  test('every package has a layer', () => {
    const homes = new Set(files.filter(file => file.startsWith('packages/')).map(homeOf));
    assert.deepEqual(
      [...homes].filter(home => layers[home] === undefined),
      [],
    );
  });

  test('imports point down', () => {
    const wrong = production.flatMap(file =>
      importsOf(file)
        .map(name => /^@tidemark\/([^/]+)/.exec(name)?.[1])
        .filter(name => name !== undefined && name !== homeOf(file))
        .filter(name => (layers[name ?? ''] ?? appLayer) >= layerOf(file))
        .map(name => `${file} imports ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  test('relative imports stay inside their package', () => {
    const wrong = files.flatMap(file =>
      importsOf(file)
        .filter(name => name.startsWith('.'))
        .filter(name => {
          const target = relative(root, resolve(root, dirname(file), name));
          return homeOf(target) !== homeOf(file) || isApp(target) !== isApp(file);
        })
        .map(name => `${file} imports ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  test('a package names everything it imports in its package.json', () => {
    const wrong = production.flatMap(file => {
      const folder = file
        .split('/')
        .slice(0, isApp(file) || file.startsWith('packages/') ? 2 : 1)
        .join('/');
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Record<
        string,
        object
      >;
      const declared = {
        ...manifest['dependencies'],
        ...manifest['devDependencies'],
        ...manifest['peerDependencies'],
      };
      return importsOf(file)
        .filter(name => !name.startsWith('.') && !name.startsWith('node:'))
        .map(name =>
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        )
        .filter(name => !(name in declared) && name !== `@tidemark/${homeOf(file)}`)
        .map(name => `${file} imports ${name}`);
    });
    assert.deepEqual(wrong, []);
  });

  test('vendor clients live in connectors and broker, and where a service owns its store', () => {
    const vendors = /^(?:pg|pg-logical-replication|kysely|@platformatic\/kafka|kafkajs)(?:\/|$)/;
    const allowed =
      /^packages\/(?:connectors|broker|testkit)\/|^apps\/(?:api|capture)\/|^apps\/cli\/src\/stack\//;
    const wrong = production
      .filter(file => !allowed.test(file))
      .flatMap(file =>
        importsOf(file)
          .filter(name => vendors.test(name))
          .map(name => `${file} imports ${name}`),
      );
    assert.deepEqual(wrong, []);
  });
});

describe('purity', () => {
  const pureFiles = production.filter(file => pure.some(folder => file.startsWith(folder)));

  test('codecs and the pipeline read no clock, no randomness, no environment', () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bperformance\.|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\.|\bsystemClock\b/;
    assert.deepEqual(offenders(pureFiles, impure), []);
  });

  test('codecs and the pipeline do no input or output', () => {
    const wrong = pureFiles.flatMap(file =>
      importsOf(file)
        .filter(name => /^node:(?!assert|buffer|util)/.test(name))
        .map(name => `${file} imports ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  test('only main.ts reads the environment, attaches signal handlers or exits', () => {
    const others = production.filter(file => !file.endsWith('/src/main.ts') && !file.includes('/src/web/'));
    assert.deepEqual(offenders(others, /\bprocess\.(?:env|exit|on|once|argv)\b/), []);
  });
});

describe('sizes', () => {
  // A contract suite is a list of tests, as long as the contract; its tests are counted one by one.
  const isSuite = (file: string) => /^packages\/testkit\/src\/[^/]+-contract\//.test(file);
  const measured: Record<string, number> = longFunctions(
    root,
    production.filter(file => !isSuite(file)),
  );
  for (const file of production) {
    const lines = (sourceOf.get(file) ?? '').split('\n').length - 1;
    if (lines > limits.file) measured[file] = lines;
  }
  if (process.argv.includes('--tighten')) {
    const kept = Object.entries(measured).filter(([what]) => what in ratchet);
    const smaller = Object.fromEntries(
      kept.map(([what, lines]) => [what, Math.min(lines, ratchet[what] ?? lines)]),
    );
    writeFileSync(ratchetFile, `${JSON.stringify(smaller, null, 2)}\n`);
  }

  test(`no file grows beyond ${limits.file} lines and no function beyond ${limits.function}`, () => {
    const wrong = Object.entries(measured).filter(([what, lines]) => lines > (ratchet[what] ?? 0));
    assert.deepEqual(wrong, []);
  });

  test('the ratchet names nothing that has become small', () => {
    assert.deepEqual(
      Object.keys(ratchet).filter(what => measured[what] === undefined),
      [],
    );
  });
});

describe('words', () => {
  test('no unfinished marks, no skipped tests, no debugger', () => {
    const own = 'e2e/tidy/tidy.test.ts';
    const marks = new RegExp(
      ['TO', 'DO|FIX', 'ME|\\bXXX\\b|\\bdebugger;|\\.only\\(|\\bit\\.todo|test\\.todo'].join(''),
    );
    assert.deepEqual(
      files.filter(file => file !== own && marks.test(sourceOf.get(file) ?? '')),
      [],
    );
  });

  test('file names are kebab-case and say what is in them', () => {
    const vague = /(?:^|\/)(?:utils?|helpers?|common|misc|shared-utils)(?:\/|\.tsx?$)/;
    const shape = /(?:^|\/)[a-z0-9-]+(?:\.test|\.browser)?\.tsx?$|\.d\.ts$/;
    assert.deepEqual(
      files.filter(file => vague.test(file) || !shape.test(file)),
      [],
    );
  });

  test('pinned versions only', () => {
    const manifests = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*package.json'], {
      cwd: root,
      encoding: 'utf8',
    });
    const loose = manifests
      .split('\n')
      .filter(Boolean)
      .flatMap(file => {
        const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<
          string,
          Record<string, string>
        >;
        const versions = { ...manifest['dependencies'], ...manifest['devDependencies'] };
        return Object.entries(versions)
          .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
          .map(([name]) => `${file}: ${name}`);
      });
    assert.deepEqual(loose, []);
  });
});
