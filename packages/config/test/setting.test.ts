import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  type ConfigSpec,
  defineConfig,
  describeConfig,
  loadConfig,
  mergeConfig,
  type Setting,
  setting,
} from '../src/index.ts';

const doc = 'What it is.';
const read = <T>(of: Setting<T>, value: string) => loadConfig({ NAME: of }, { NAME: value }).NAME;

describe('settings', () => {
  const cases: readonly [string, Setting<unknown>, Record<string, unknown>, readonly string[]][] = [
    ['text', setting.text({ doc }), { ' as it is ': ' as it is ' }, []],
    ['optional text', setting.optionalText({ doc }), { there: 'there' }, []],
    [
      'integer',
      setting.integer({ doc, min: -5, max: 100 }),
      { '0': 0, '-5': -5, '+7': 7, ' 42 ': 42 },
      ['-6', '101', '1.5', '1e1', '0x10', 'ten', ' ', '9007199254740993', '1_000'],
    ],
    [
      'number',
      setting.number({ doc, min: 0, max: 1 }),
      { '0.25': 0.25, '.5': 0.5, '1': 1, '1e-3': 0.001 },
      ['1.01', '-0.1', 'half', '0x1', 'Infinity', 'NaN', ' ', '1,5'],
    ],
    [
      'flag',
      setting.flag({ doc }),
      { true: true, YES: true, on: true, '1': true, false: false, No: false, off: false, '0': false },
      ['maybe', '2', 'truely'],
    ],
    ['list', setting.list({ doc }), { 'a,b': ['a', 'b'], ' a , ,b,': ['a', 'b'] }, [',', ' , ']],
    ['choice', setting.choice(['os', 'group'], { doc }), { os: 'os', group: 'group' }, ['OS', 'none']],
    [
      'duration',
      setting.durationMs({ doc }),
      { '500ms': 500, '30s': 30_000, '1.5m': 90_000, '1h': 3_600_000 },
      ['30', 's', '-1s', '1d', '1 s', `${'9'.repeat(30)}h`],
    ],
    [
      'address',
      setting.listenAddress({ doc }),
      {
        '127.0.0.1:80': { host: '127.0.0.1', port: 80 },
        ':2112': { host: '0.0.0.0', port: 2112 },
        '*:2112': { host: '0.0.0.0', port: 2112 },
        '2112': { host: '127.0.0.1', port: 2112 },
        '[::1]:80': { host: '::1', port: 80 },
        'localhost:0': { host: 'localhost', port: 0 },
      },
      ['localhost', '127.0.0.1:', '1.2.3.4:65536', 'http://127.0.0.1:80', 'a b:80', '127.0.0.1:-1'],
    ],
    [
      'URL',
      setting.url(['postgres', 'postgresql'], { doc }),
      { 'postgres://db:1/x': 'postgres://db:1/x' },
      ['http://db', 'db:5432', 'postgres', ''],
    ],
  ];

  for (const [name, of, good, bad] of cases) {
    test(`a ${name} is read`, () => {
      for (const [given, expected] of Object.entries(good))
        assert.deepEqual(read(of, given), expected, given);
    });
    test(`what is no ${name} is refused by name`, () => {
      for (const given of bad) {
        const shown = given === '' ? /^NAME is not set/ : /^NAME must .+, not "/;
        assert.throws(() => read(of, given), { code: 'CONFIG_INVALID', message: shown }, given);
      }
    });
  }

  test('no text whatever makes a setting throw anything but its own error', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.string({ unit: 'binary' }), ([, of], given) => {
        try {
          read(of, given);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'CONFIG_INVALID');
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('every integer and every duration in whole milliseconds survives its text', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), value => read(setting.integer({ doc }), String(value)) === value),
    );
    fc.assert(fc.property(fc.nat(), value => read(setting.durationMs({ doc }), `${value}ms`) === value));
  });
});

describe('configuration', () => {
  const spec = defineConfig({
    PORT: setting.integer({ doc: 'Where to listen.', default: 80 }),
    NAME: setting.text({ doc: 'Who it is.' }),
    API_TOKEN: setting.choice(['good'], { doc: 'What lets it in.', secret: true }),
  });

  test('takes defaults for what is absent or empty', () => {
    const env = { PORT: '', NAME: 'x', API_TOKEN: 'good', OTHER: 'ignored' };
    assert.deepEqual(loadConfig(spec, env), { PORT: 80, NAME: 'x', API_TOKEN: 'good' });
    assert.deepEqual(loadConfig({ MAYBE: setting.optionalText({ doc }) }, {}), { MAYBE: undefined });
  });

  test('tells every fault at once, and no secret', () => {
    assert.throws(() => loadConfig(spec, { PORT: 'x', API_TOKEN: 'hunter2' }), {
      code: 'CONFIG_INVALID',
      message:
        'PORT must be a whole number, not "x"; NAME is not set (Who it is.); ' +
        'API_TOKEN must be one of good, not the given value',
    });
  });

  test('does not print a password that was put into the wrong setting', () => {
    assert.throws(
      () => loadConfig(spec, { PORT: 'postgres://me:hunter2@db', NAME: 'x', API_TOKEN: 'good' }),
      {
        message: 'PORT must be a whole number, not the given value',
      },
    );
  });

  test('of two specs the later one wins', () => {
    const merged = mergeConfig(spec, { PORT: setting.text({ doc, default: 'other' }) });
    assert.equal(loadConfig(merged, { NAME: 'x', API_TOKEN: 'good' }).PORT, 'other');
  });

  test('documents itself as a table, without secrets', () => {
    const documented: ConfigSpec = {
      ...spec,
      DATABASE_URL: setting.url(['postgres'], {
        doc: 'The\ndatabase.',
        default: 'postgres://me:hunter2@db',
        secret: true,
      }),
      ADDR: setting.listenAddress({ doc: 'A | b.', default: { host: '::1', port: 80 } }),
      TAGS: setting.list({ doc: 'Tags.', default: ['a', 'b'] }),
      MAYBE: setting.optionalText({ doc: 'Maybe.' }),
    };
    assert.deepEqual(describeConfig(documented).split('\n'), [
      '| variable | type | default | meaning |',
      '|---|---|---|---|',
      '| `PORT` | integer | `80` | Where to listen. |',
      '| `NAME` | text | **required** | Who it is. |',
      '| `API_TOKEN` | `good` | **required** | What lets it in. |',
      '| `DATABASE_URL` | URL (`postgres://`) | not shown | The database. |',
      '| `ADDR` | host:port | `[::1]:80` | A \\| b. |',
      '| `TAGS` | comma-separated list | `a,b` | Tags. |',
      '| `MAYBE` | text | – | Maybe. |',
    ]);
  });
});
