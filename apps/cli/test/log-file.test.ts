import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { LogFile } from '../src/supervisor/log-file.ts';

const roomy = { rotateAtBytes: 1024 * 1024, keptFiles: 3 };

describe('log file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-log-'));
    path = join(folder, 'service.log');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Everything that is kept, the oldest first. */
  const kept = () =>
    readdirSync(folder)
      .sort((a, b) => age(b) - age(a))
      .map(name => readFileSync(join(folder, name), 'utf8'));
  const age = (name: string) => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);

  test('loses no line and splits none, however the output is cut and however often it is set aside', () => {
    const lineOf = fc.string({ unit: 'grapheme', maxLength: 30 }).map(text => text.replaceAll('\n', ' '));
    const output = fc.tuple(fc.array(lineOf, { maxLength: 60 }), fc.array(fc.integer({ min: 1, max: 40 })));
    fc.assert(
      fc.property(output, fc.integer({ min: 1, max: 200 }), ([lines, cuts], rotateAtBytes) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
        const log = new LogFile(path, { rotateAtBytes, keptFiles: 1000 });
        const input = log.input();
        for (const chunk of cut(Buffer.from(lines.map(line => `${line}\n`).join('')), cuts))
          input.write(chunk);
        input.end();
        log.close();
        const files = kept();
        assert.deepEqual(files.join('').split('\n').slice(0, -1), lines);
        assert.ok(files.every(file => file === '' || file.endsWith('\n')));
      }),
      { numRuns: 60 },
    );
  });

  test('never mixes the lines of two streams', () => {
    const log = new LogFile(path, roomy);
    const [out, err] = [log.input(), log.input()];
    out.write(Buffer.from('one h'));
    err.write(Buffer.from('other h'));
    out.write(Buffer.from('alf\n'));
    err.write(Buffer.from('alf\nlast words'));
    err.end();
    log.close();
    assert.deepEqual(kept(), ['one half\nother half\nlast words\n']);
  });

  test('keeps as many files as it was told and goes on where an earlier run ended', () => {
    for (let run = 0; run < 2; run += 1) {
      const log = new LogFile(path, { rotateAtBytes: 10, keptFiles: 2 });
      const input = log.input();
      for (let line = 0; line < 8; line += 1) input.write(Buffer.from(`run ${run} line ${line}\n`));
      log.close();
    }
    assert.deepEqual(kept(), ['run 1 line 5\n', 'run 1 line 6\n', 'run 1 line 7\n']);
  });

  test('remembers the last lines, cut to a length that a terminal bears', () => {
    const log = new LogFile(path, roomy);
    const input = log.input();
    input.write(Buffer.from(`${'x'.repeat(10_000)}\n`));
    for (let line = 0; line < 100; line += 1) input.write(Buffer.from(`line ${line}\n`));
    input.write(Buffer.from('unfinished'));
    assert.deepEqual(log.lastLines(2), ['line 98', 'line 99']);
    input.end();
    assert.deepEqual(log.lastLines(2), ['line 99', 'unfinished']);
    assert.equal(log.lastLines(1000).length, 40);
    log.close();
  });

  test('a line that never ends is written in pieces', () => {
    const log = new LogFile(path, roomy);
    const input = log.input();
    for (let chunk = 0; chunk < 5; chunk += 1) input.write(Buffer.alloc(64 * 1024, 'x'));
    assert.equal(readFileSync(path).length, 256 * 1024 + 1);
    log.close();
  });

  test('a disk that is full takes no part, and the loss is told once there is room', {
    skip: process.platform !== 'linux' && 'needs /dev/full',
  }, () => {
    symlinkSync('/dev/full', path);
    const log = new LogFile(path, roomy);
    const input = log.input();
    input.write(Buffer.from('lost\nlost too\n'));
    input.write(Buffer.from('and this\n'));
    assert.deepEqual(log.lastLines(1), ['and this']);
    unlinkSync(path);
    input.write(Buffer.from('room again\n'));
    log.close();
    assert.deepEqual(kept(), ['tidemark: 3 lines could not be written here (ENOSPC)\nroom again\n']);
  });

  test('a folder in the way of the log is no reason to fail', () => {
    mkdirSync(path);
    const log = new LogFile(path, roomy);
    const input = log.input();
    input.write(Buffer.from('lost\n'));
    rmdirSync(path);
    input.write(Buffer.from('kept\n'));
    log.close();
    assert.deepEqual(kept(), ['tidemark: 1 lines could not be written here (EISDIR)\nkept\n']);
  });

  test('a log that cannot be set aside goes on where it is', () => {
    mkdirSync(join(`${path}.1`, 'in the way'), { recursive: true });
    const log = new LogFile(path, { rotateAtBytes: 5, keptFiles: 1 });
    const input = log.input();
    for (const line of ['first\n', 'second\n', 'third\n']) input.write(Buffer.from(line));
    log.close();
    assert.equal(readFileSync(path, 'utf8'), 'first\nsecond\nthird\n');
  });
});

function cut(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}
