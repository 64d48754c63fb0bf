import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { createLogger } from '../src/index.ts';

function recordingLogger() {
  const lines: Record<string, unknown>[] = [];
  const written: string[] = [];
  const destination = {
    write(line: string) {
      written.push(line);
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
  };
  return { logger: createLogger({ service: 'test', level: 'debug', destination }), lines, written };
}

describe('logger', () => {
  test('a line is one JSON object with time, level, service and message', () => {
    const { logger, lines, written } = recordingLogger();
    logger.warn({ userId: 7 }, 'something\nhappened');
    const [line] = lines;
    assert.match(String(line?.['timestamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const { timestamp: _timestamp, ...rest } = line ?? {};
    assert.deepEqual(rest, { level: 'warn', service: 'test', userId: 7, message: 'something\nhappened' });
    assert.equal(written[0]?.indexOf('\n'), (written[0]?.length ?? 0) - 1);
  });

  test('a secret does not appear, however deep it lies and whatever its name makes of it', () => {
    const names = [
      'password',
      'PASSWORD',
      'newPassword',
      'password_hash',
      'token',
      'accessToken',
      'client_secret',
      'Authorization',
      'cookie',
      'set-cookie',
      'apiKey',
      'api_key',
      'x-api-key',
      'passwd',
      'credentials',
    ];
    const nest = (inner: object, path: readonly string[]) =>
      path.reduceRight<object>((nested, name) => (name === '[]' ? [nested] : { [name]: nested }), inner);
    const path = fc.array(fc.constantFrom('req', 'headers', 'user', '[]'), { maxLength: 5 });
    fc.assert(
      fc.property(fc.constantFrom(...names), path, fc.boolean(), (name, steps, asBinding) => {
        const { logger, written } = recordingLogger();
        const fields = nest({ [name]: 'hunter2' }, ['outer', ...steps]);
        if (asBinding) logger.child({}).child(fields).info('done');
        else logger.info(fields, 'done');
        assert.doesNotMatch(written.join(''), /hunter2/);
        assert.match(written.join(''), /\[redacted\]/);
      }),
    );
  });

  test('a password in a URL does not appear; the rest of the URL does', () => {
    const { logger, lines } = recordingLogger();
    logger.info({ database: 'postgres://me:hunter2@db:5432/app', list: ['redis://:hunter2@cache'] });
    assert.equal(lines[0]?.['database'], 'postgres://me:[redacted]@db:5432/app');
    assert.deepEqual(lines[0]?.['list'], ['redis://:[redacted]@cache']);
  });

  test('an error is shown with its cause and code, without the secrets that it carries', () => {
    const { logger, lines, written } = recordingLogger();
    const error = new Error('refused by postgres://me:hunter2@db', { cause: new Error('underneath') });
    logger.error(
      { err: Object.assign(error, { code: 'ECONNREFUSED', config: { password: 'hunter2' } }) },
      'failed',
    );
    const shown = lines[0]?.['err'] as Record<string, unknown>;
    assert.equal(shown['code'], 'ECONNREFUSED');
    assert.match(String(shown['stack']), /underneath/);
    assert.doesNotMatch(written.join(''), /hunter2/);
  });

  test('what is no secret stays as it is', () => {
    const { logger, lines } = recordingLogger();
    const fields = {
      key: 'user:1',
      count: 3,
      hasToken: true,
      token: null,
      at: new Date(0),
      list: [{ id: 1 }],
    };
    logger.info(fields);
    const { key, count, hasToken, token, at, list } = lines[0] ?? {};
    assert.deepEqual(
      { key, count, hasToken, token, at, list },
      { ...fields, at: '1970-01-01T00:00:00.000Z' },
    );
  });

  test('fields that hold themselves do not end the program', () => {
    const { logger, lines } = recordingLogger();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    logger.info({ circle });
    assert.equal(lines.length, 1);
  });
});
