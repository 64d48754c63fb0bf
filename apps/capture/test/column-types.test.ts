import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type CaptureBench, openCaptureBench } from './support/capture-bench.ts';

/** SQL type, SQL value, then what the message carries: MySQL type, JDBC type, text. */
const cases: readonly (readonly [string, string, string, number, string | null])[] = [
  ['boolean', 'true', 'tinyint', -6, '1'],
  ['boolean', 'false', 'tinyint', -6, '0'],
  ['smallint', '-32768', 'smallint', 5, '-32768'],
  ['integer', '2147483647', 'int', 4, '2147483647'],
  ['bigint', '9223372036854775807', 'bigint', -5, '9223372036854775807'],
  ['oid', '4294967295', 'bigint', -5, '4294967295'],
  ['real', '1.5e-7', 'float', 7, '0.00000015'],
  ['double precision', '1e22', 'double', 8, '10000000000000000000000'],
  ['double precision', '0.1', 'double', 8, '0.1'],
  ['double precision', `'-Infinity'`, 'double', 8, '-Infinity'],
  ['double precision', `'NaN'`, 'double', 8, 'NaN'],
  ['numeric', '0.500000', 'decimal', 3, '0.500000'],
  ['numeric', `'1e-20'`, 'decimal', 3, '0.00000000000000000001'],
  ['numeric(38,10)', '12345678901234567890.5', 'decimal', 3, '12345678901234567890.5000000000'],
  ['numeric', `'NaN'`, 'decimal', 3, 'NaN'],
  ['char(4)', `'ab'`, 'char', 1, 'ab  '],
  ['"char"', `'x'`, 'char', 1, 'x'],
  ['varchar(20)', `'<b>&é漢😀"\\'`, 'varchar', 12, '<b>&é漢😀"\\'],
  ['name', `'n'`, 'varchar', 12, 'n'],
  ['text', `E'line\\n\\ttab\\u2028'`, 'text', 2005, 'line\n\ttab\u2028'],
  ['text', `'null'`, 'text', 2005, 'null'],
  ['text', `''`, 'text', 2005, ''],
  ['text', 'NULL', 'text', 2005, null],
  ['bytea', `'\\x00ff7f80'`, 'blob', 2004, '\u0000\u00ff\u007f\u0080'],
  ['bytea', `''`, 'blob', 2004, ''],
  ['date', `'2020-02-29'`, 'date', 91, '2020-02-29'],
  ['date', `'infinity'`, 'date', 91, 'infinity'],
  ['date', `'0044-03-15 BC'`, 'date', 91, '0044-03-15 BC'],
  ['time', `'02:20:20.5'`, 'time', 92, '02:20:20.500000'],
  ['time(0)', `'24:00:00'`, 'time', 92, '24:00:00'],
  ['timetz', `'02:20:20+02'`, 'text', 2005, '02:20:20+02'],
  ['timestamp', `'2024-03-11 08:51:01.46127'`, 'datetime', 93, '2024-03-11 08:51:01.461270'],
  ['timestamp(3)', `'2024-03-11 08:51:01.4'`, 'datetime', 93, '2024-03-11 08:51:01.400'],
  ['timestamp', `'-infinity'`, 'datetime', 93, '-infinity'],
  ['timestamptz', `'2024-03-11 08:51:01+05:30'`, 'timestamp', 93, '2024-03-11 03:21:01.000000'],
  ['timestamptz(0)', `'2024-03-11 08:51:01Z'`, 'timestamp', 93, '2024-03-11 08:51:01'],
  ['timestamptz', `'12024-03-11 08:51:01Z'`, 'timestamp', 93, '12024-03-11 08:51:01.000000'],
  ['interval', `'1 day 02:03:04'`, 'text', 2005, '1 day 02:03:04'],
  ['uuid', `'0192f3a0-0000-7000-8000-000000000001'`, 'char', 1, '0192f3a0-0000-7000-8000-000000000001'],
  ['json', `'{"a": 1}'`, 'json', 12, '{"a": 1}'],
  ['jsonb', `'{"b":[1,null],"a":"x"}'`, 'json', 12, '{"a": "x", "b": [1, null]}'],
  ['bit(10)', `B'1000000001'`, 'bit', -7, '513'],
  ['bit(70)', `repeat('1', 70)::bit(70)`, 'text', 2005, '1'.repeat(70)],
  ['bit varying', `B'0011'`, 'text', 2005, '0011'],
  ['inet', `'10.0.0.1/8'`, 'text', 2005, '10.0.0.1/8'],
  ['int[]', `'{1,NULL,3}'`, 'text', 2005, '{1,NULL,3}'],
  ['text[][]', `'{{a,"b,c"},{d,e}}'`, 'text', 2005, '{{a,"b,c"},{d,e}}'],
  ['int4range', `'[1,5)'`, 'text', 2005, '[1,5)'],
  ['xml', `'<a>1</a>'`, 'text', 2005, '<a>1</a>'],
  ['point', `'(1,2)'`, 'text', 2005, '(1,2)'],
  ['tsvector', `'a b'`, 'text', 2005, `'a' 'b'`],
  ['money', `'-1234.5'`, 'text', 2005, '-$1,234.50'],
  ['citext', `'MiXed'`, 'text', 2005, 'MiXed'],
  ['hstore', `'a=>1, b=>NULL'`, 'text', 2005, '"a"=>"1", "b"=>NULL'],
  ['macaddr', `'08:00:2b:01:02:03'`, 'text', 2005, '08:00:2b:01:02:03'],
  ['numeric', `'-Infinity'`, 'decimal', 3, '-Infinity'],
  ['bit(64)', `repeat('1', 64)::bit(64)`, 'bit', -7, '18446744073709551615'],
  ['mood[]', `'{sad,"so happy"}'`, 'text', 2005, '{sad,"so happy"}'],
  ['mood', `'so happy'`, 'text', 2005, 'so happy'],
  ['positive', '7', 'int', 4, '7'],
  ['moment', `'2024-03-11 08:51:01Z'`, 'timestamp', 93, '2024-03-11 08:51:01.000000'],
  ['pair', `ROW(1, 'a b')`, 'text', 2005, '(1,"a b")'],
];

suite('values of every type', () => {
  let bench: CaptureBench;
  before(async () => {
    bench = await openCaptureBench();
    const columns = cases.map(([type], index) => `c${index} ${type}`);
    await bench.postgres.query(`
      CREATE EXTENSION citext; CREATE EXTENSION hstore;
      CREATE TYPE mood AS ENUM ('sad', 'so happy');
      CREATE DOMAIN positive AS int CHECK (VALUE > 0);
      CREATE DOMAIN moment AS timestamptz;
      CREATE TYPE pair AS (a int, b text);
      CREATE TABLE every_type (id int PRIMARY KEY, ${columns.join(', ')},
        doubled int GENERATED ALWAYS AS (id * 2) STORED);
      ALTER TABLE every_type REPLICA IDENTITY FULL`);
    await bench.create('types', ['sre_app.every_type']);
  });
  after(() => bench.close());

  test('arrive as documented, whatever the server is set to', async () => {
    await bench.postgres.query(
      `ALTER DATABASE sre_app SET datestyle = 'German'; ALTER DATABASE sre_app SET timezone = 'Asia/Kolkata';
       ALTER DATABASE sre_app SET bytea_output = 'escape'; ALTER DATABASE sre_app SET intervalstyle = 'iso_8601'`,
    );
    const values = cases.map(([, value]) => value);
    await bench.postgres.query(
      `SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; INSERT INTO every_type VALUES (1, ${values.join(', ')})`,
    );
    await bench.received(1);
    const [row] = bench.topic.rows();
    const arrived = cases.map(([type, value], index) => [
      type,
      value,
      row?.mysqlTypes[`c${index}`],
      row?.sqlTypes[`c${index}`],
      row?.data[`c${index}`],
    ]);
    assert.deepEqual(arrived, cases);
    assert.equal(row?.data['doubled'], '2');
  });

  test('are the same in the old row', async () => {
    await bench.postgres.query('UPDATE every_type SET id = id');
    await bench.received(2);
    const [inserted, updated] = bench.topic.rows();
    assert.deepEqual(updated?.old, inserted?.data);
  });
});
