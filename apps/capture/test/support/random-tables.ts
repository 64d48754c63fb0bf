import * as fc from 'fast-check';

/** A column type: how to read it as the message would say it, and SQL literals of values. */
export interface Kind {
  readonly type: string;
  readonly read: (column: string) => string;
  readonly values: fc.Arbitrary<string>;
  /** The message carries bytes. */
  readonly isBinary?: boolean;
  /** Written behind the type. */
  readonly storage?: string;
}

/** Types that the tables need beside those of PostgreSQL. */
export const typeDefinitions = `
  CREATE EXTENSION citext; CREATE EXTENSION hstore;
  CREATE TYPE mood AS ENUM ('sad', 'so ''happy''', 'ok');
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE DOMAIN short_code AS varchar(8);
  CREATE TYPE pair AS (a int, b text)`;

/** As the type's output function writes it. */
const same = (column: string) => column;
const quoted = (values: fc.Arbitrary<string>) => values.map(value => `'${value.replaceAll("'", "''")}'`);
/** PostgreSQL's texts hold every character but the one with number zero. */
const storable = (value: string) => value.toWellFormed().replaceAll('\u0000', '');
const anyText = fc.string({ unit: 'binary' }).map(storable);
const word = fc.string({ unit: 'grapheme-ascii', maxLength: 5 });
const digits = (from: number, to: number) => fc.integer({ min: from, max: to });
const moment = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true });
const finite = (column: string, shown: string) =>
  `CASE WHEN isfinite(${column}) THEN ${shown} ELSE ${column}::text END`;

const kinds: readonly Kind[] = [
  { type: 'text', read: same, values: quoted(anyText) },
  { type: 'varchar(20)', read: same, values: quoted(word) },
  { type: 'char(5)', read: column => `rpad(${column}::text, 5)`, values: quoted(word) },
  { type: 'citext', read: same, values: quoted(word) },
  { type: 'smallint', read: same, values: digits(-32768, 32767).map(String) },
  { type: 'int', read: same, values: fc.integer().map(String) },
  {
    type: 'bigint',
    read: same,
    values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(n => `'${n}'`),
  },
  { type: 'oid', read: same, values: fc.nat().map(String) },
  {
    type: 'numeric',
    read: same,
    values: fc.oneof(
      fc.tuple(fc.integer(), fc.nat(99)).map(([a, b]) => `${a}.${b}`),
      fc.constantFrom(`'NaN'`, `'Infinity'`, '0.000', `'1e-30'`, `'1e30'`),
    ),
  },
  { type: 'numeric(12,3)', read: same, values: fc.integer().map(n => `${n / 1000}`) },
  { type: 'double precision', read: same, values: fc.integer().map(n => `${n / 64}`) },
  { type: 'real', read: same, values: digits(-9999, 9999).map(n => `${n / 4}`) },
  { type: 'money', read: same, values: digits(-99999, 99999).map(n => `'${n / 100}'`) },
  { type: 'boolean', read: column => `${column}::int::text`, values: fc.constantFrom('true', 'false') },
  { type: 'bit(8)', read: column => `${column}::int::text`, values: digits(0, 255).map(n => `${n}::bit(8)`) },
  { type: 'bit varying', read: same, values: fc.nat(999).map(n => `B'${n.toString(2)}'`) },
  {
    type: 'bytea',
    read: column => `encode(${column}, 'hex')`,
    values: fc.uint8Array().map(bytes => `'\\x${Buffer.from(bytes).toString('hex')}'`),
    isBinary: true,
  },
  {
    type: 'date',
    read: same,
    values: fc.oneof(
      moment.map(at => `'${at.toISOString().slice(0, 10)}'`),
      fc.constantFrom(`'infinity'`, `'-infinity'`, `'0044-03-15 BC'`),
    ),
  },
  {
    type: 'time',
    read: column => `to_char(${column}, 'HH24:MI:SS.US')`,
    values: moment.map(at => `'${at.toISOString().slice(11, 23)}'`),
  },
  {
    type: 'timestamp(3)',
    read: column => finite(column, `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS.MS')`),
    values: fc.oneof(
      moment.map(at => `'${at.toISOString()}'`),
      fc.constantFrom(`'infinity'`, `'-infinity'`),
    ),
  },
  {
    type: 'timestamptz',
    read: column => finite(column, `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`),
    values: fc.oneof(
      moment.map(at => `'${at.toISOString()}'`),
      fc.constant(`'infinity'`),
    ),
  },
  {
    type: 'interval',
    read: same,
    values: fc.integer().map(n => `make_interval(secs => ${n % 1e6}, months => ${n % 30})`),
  },
  { type: 'uuid', read: same, values: fc.uuid().map(id => `'${id}'`) },
  { type: 'inet', read: same, values: fc.ipV4().map(ip => `'${ip}'`) },
  {
    type: 'int[]',
    read: same,
    values: fc.array(fc.option(fc.integer())).map(list => `'{${list.map(n => n ?? 'NULL').join()}}'`),
  },
  {
    type: 'text[]',
    read: same,
    values: fc.array(quoted(word), { minLength: 1, maxLength: 4 }).map(list => `ARRAY[${list.join()}]`),
  },
  {
    type: 'int4range',
    read: same,
    values: fc.tuple(fc.nat(99), fc.nat(99)).map(([a, b]) => `int4range(${a}, ${a + b})`),
  },
  { type: 'mood', read: same, values: fc.constantFrom(`'sad'`, `'so ''happy'''`, `'ok'`) },
  { type: 'positive', read: same, values: digits(1, 999).map(String) },
  { type: 'short_code', read: same, values: quoted(word) },
  {
    type: 'pair',
    read: same,
    values: fc.tuple(fc.integer(), quoted(word)).map(([a, b]) => `ROW(${a}, ${b})::pair`),
  },
  { type: 'hstore', read: same, values: quoted(word).map(value => `hstore('k', ${value})`) },
  { type: 'tsvector', read: same, values: quoted(word).map(value => `to_tsvector('simple', ${value})`) },
  {
    type: 'jsonb',
    read: same,
    values: quoted(fc.json().map(json => storable(json).replace(/\\u0000/g, ''))),
  },
  // Stored out of line, so that it is not sent again when it does not change.
  {
    type: 'text',
    storage: 'STORAGE EXTERNAL',
    read: same,
    values: fc.nat(25).map(n => `repeat('${n}-', 2000)`),
  },
];

/** A table with columns `c0`, `c1` … and a key. */
export interface RandomTable {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly key: readonly string[];
  readonly definition: string;
}

const identities = ['full', 'key', 'index'] as const;

/** Tables of every sort of identity and key, with some of the columns each and, together, with every type. */
export const randomTables: fc.Arbitrary<readonly RandomTable[]> = fc
  .shuffledSubarray([...kinds], { minLength: kinds.length, maxLength: kinds.length })
  .map(shuffled =>
    [0, 1, 2, 3, 4, 5].map(at => {
      const own = shuffled.filter((_, index) => index % 6 === at);
      return tableOf(`r${at}`, own, identities[at % 3] ?? 'full', at >= 3);
    }),
  );

function tableOf(
  name: string,
  own: readonly Kind[],
  identity: (typeof identities)[number],
  isComposite: boolean,
): RandomTable {
  const columns = own.map(({ type, storage }, at) => `c${at} ${type} ${storage ?? ''}`);
  const key = isComposite ? ['id', 'part'] : ['id'];
  const statements = [
    `CREATE TABLE ${name} (id int NOT NULL, ${columns.join(', ')}, part text NOT NULL DEFAULT 'a',
       doubled int GENERATED ALWAYS AS (id * 2) STORED)`,
    identity === 'index'
      ? `CREATE UNIQUE INDEX ${name}_key ON ${name} (${key.join()}); ALTER TABLE ${name} REPLICA IDENTITY USING INDEX ${name}_key`
      : `ALTER TABLE ${name} ADD PRIMARY KEY (${key.toReversed().join()})`,
    ...(identity === 'full' ? [`ALTER TABLE ${name} REPLICA IDENTITY FULL`] : []),
  ];
  return { name, kinds: own, key, definition: statements.join('; ') };
}

export const cut = 'SELECT pg_terminate_backend(pid) FROM pg_stat_replication';

const id = fc.nat(12);
const part = fc.constantFrom(`'a'`, `'b'`);

/** Statements that change rows of a table. */
function rowStatement({ name, kinds: own, key }: RandomTable): fc.Arbitrary<string> {
  const cell = fc.nat(own.length - 1).chain(at => {
    const value = own[at]?.values ?? fc.constant('NULL');
    return fc.tuple(fc.constant(`c${at}`), fc.oneof({ weight: 4, arbitrary: value }, fc.constant('NULL')));
  });
  const cells = fc.uniqueArray(cell, { minLength: 1, maxLength: 5, selector: ([column]) => column });
  const isComposite = key.length > 1;
  return fc.oneof(
    fc.tuple(id, part, cells).map(([row, of, list]) => {
      const names = list.map(([column]) => column).join();
      const values = list.map(([, value]) => value).join();
      return `INSERT INTO ${name} (id, part, ${names}) VALUES (${row}, ${of}, ${values}) ON CONFLICT DO NOTHING`;
    }),
    fc
      .tuple(id, cells)
      .map(
        ([row, list]) => `UPDATE ${name} SET ${list.map(pair => pair.join(' = ')).join()} WHERE id >= ${row}`,
      ),
    fc.tuple(id, id, part).map(([from, to, of]) => {
      const target = isComposite ? `id = ${to} AND part = ${of}` : `id = ${to}`;
      return `UPDATE ${name} SET id = ${to}, part = ${of}
          WHERE (id, part) IN (SELECT id, part FROM ${name} WHERE id = ${from} LIMIT 1) AND NOT EXISTS (SELECT FROM ${name} WHERE ${target})`;
    }),
    id.map(row => `DELETE FROM ${name} WHERE id = ${row}`),
  );
}

function rareStatement({ name }: RandomTable): fc.Arbitrary<string> {
  return fc.constantFrom(
    `TRUNCATE ${name}`,
    `ALTER TABLE ${name} ADD COLUMN IF NOT EXISTS extra int DEFAULT 5`,
    `ALTER TABLE ${name} DROP COLUMN IF EXISTS extra`,
    `ALTER TABLE ${name} ALTER COLUMN part TYPE varchar(10)`,
    `ALTER TABLE ${name} ALTER COLUMN part TYPE text`,
  );
}

/** A transaction as statements; parts of it stand between savepoints, one in another, and may be rolled back. */
export function randomTransaction(tables: readonly RandomTable[]): fc.Arbitrary<readonly string[]> {
  const ofAny = (make: (table: RandomTable) => fc.Arbitrary<string>) =>
    fc.constantFrom(...tables).chain(make);
  const common = ofAny(rowStatement);
  const statement = fc.oneof(
    { weight: 14, arbitrary: common },
    { weight: 1, arbitrary: ofAny(rareStatement) },
  );
  const list = (min: number, max: number) => fc.array(statement, { minLength: min, maxLength: max });
  const ends = (savepoint: string) => fc.constantFrom(`RELEASE ${savepoint}`, `ROLLBACK TO ${savepoint}`);
  const end = fc.oneof({ weight: 5, arbitrary: fc.constant('COMMIT') }, fc.constant('ROLLBACK'));
  return fc
    .tuple(list(1, 4), list(0, 3), list(0, 2), ends('b'), list(0, 2), ends('a'), list(0, 2), end)
    .map(([one, two, three, endB, four, endA, five, last]) =>
      [one, ['SAVEPOINT a'], two, ['SAVEPOINT b'], three, [endB], four, [endA], five, [last]].flat(),
    );
}
