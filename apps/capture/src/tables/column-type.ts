import { binary, plain, type ValueFormat } from './value-format.ts';
import { bitText, booleanText, decimalText, timeText } from './value-text.ts';

/** What a PostgreSQL type is called in Canal-JSON and how its values are written. */
export interface ColumnType {
  readonly mysqlType: string;
  /** The type with its parameters, as the content-compatible form has it: `varchar(20)`. */
  readonly fullType: string;
  /** JDBC type number (java.sql.Types), as TiCDC assigns them to MySQL's types. */
  readonly sqlType: number;
  readonly format: ValueFormat;
}

type ByModifier = (typeModifier: number) => ColumnType;

const sqlTypes = {
  bit: -7,
  tinyint: -6,
  bigint: -5,
  char: 1,
  decimal: 3,
  int: 4,
  smallint: 5,
  float: 7,
  double: 8,
  varchar: 12,
  json: 12,
  date: 91,
  time: 92,
  datetime: 93,
  timestamp: 93,
  blob: 2004,
  text: 2005,
} as const;

function type(
  mysqlType: keyof typeof sqlTypes,
  format: ValueFormat = plain,
  parameters: string | number = '',
): ColumnType {
  const fullType = parameters === '' ? mysqlType : `${mysqlType}(${parameters})`;
  return { mysqlType, fullType, sqlType: sqlTypes[mysqlType], format };
}

const converted = (convert: (text: string) => string): ValueFormat => ({ kind: 'text', convert });

/** The modifier of time types is the number of digits in the fraction; six when there is none. */
const timed =
  (mysqlType: 'time' | 'datetime' | 'timestamp'): ByModifier =>
  modifier => {
    const precision = modifier < 0 ? 6 : modifier;
    return type(mysqlType, converted(timeText(precision)), precision === 0 ? '' : precision);
  };

/** The modifier of `bit(n)` is n. MySQL's BIT has at most 64. */
const bits: ByModifier = modifier =>
  modifier > 64 ? type('text') : type('bit', converted(bitText), Math.max(1, modifier));

/** The modifier of types with a length is that length and four (PostgreSQL source, VARHDRSZ). */
const sized =
  (mysqlType: 'varchar' | 'char'): ByModifier =>
  modifier =>
    type(mysqlType, plain, modifier < 4 ? '' : modifier - 4);

/** Precision above 16 bits, scale in the lowest eleven, four more (PostgreSQL source, make_numeric_typmod). */
const decimals: ByModifier = modifier => {
  if (modifier < 4) return type('decimal');
  const packed = modifier - 4;
  return type('decimal', plain, `${(packed >> 16) & 0xffff},${signed(packed & 0x7ff)}`);
};

/** Eleven bits as a signed number: a scale can be negative. */
function signed(bits11: number): number {
  return (bits11 ^ 0x400) - 0x400;
}

const always =
  (columnType: ColumnType): ByModifier =>
  () =>
    columnType;

/** By name in pg_catalog. What is not here is carried as text, exactly as PostgreSQL writes it. */
const byName: Readonly<Record<string, ByModifier>> = {
  bool: always(type('tinyint', converted(booleanText), 1)),
  int2: always(type('smallint', plain, 6)),
  int4: always(type('int', plain, 11)),
  int8: always(type('bigint', plain, 20)),
  oid: always(type('bigint', plain, 20)),
  float4: always(type('float', converted(decimalText))),
  float8: always(type('double', converted(decimalText))),
  numeric: decimals,
  char: always(type('char', plain, 1)),
  bpchar: sized('char'),
  uuid: always(type('char', plain, 36)),
  varchar: sized('varchar'),
  name: always(type('varchar', plain, 63)),
  bytea: always(type('blob', binary)),
  date: always(type('date')),
  time: timed('time'),
  timestamp: timed('datetime'),
  timestamptz: timed('timestamp'),
  bit: bits,
  json: always(type('json')),
  jsonb: always(type('json')),
};

/** Built-in types that a row description names by number only (PostgreSQL source, pg_type.dat). */
const builtIn: Readonly<Record<number, string>> = {
  16: 'bool',
  17: 'bytea',
  18: 'char',
  19: 'name',
  20: 'int8',
  21: 'int2',
  23: 'int4',
  26: 'oid',
  114: 'json',
  700: 'float4',
  701: 'float8',
  1042: 'bpchar',
  1043: 'varchar',
  1082: 'date',
  1083: 'time',
  1114: 'timestamp',
  1184: 'timestamptz',
  1560: 'bit',
  1700: 'numeric',
  2950: 'uuid',
  3802: 'jsonb',
};

const text = type('text');

/** What stands for a secret value is a text, whatever the type of the column. */
export const secretType: Omit<ColumnType, 'format'> = {
  mysqlType: 'varchar',
  fullType: 'varchar(64)',
  sqlType: sqlTypes.varchar,
};

/**
 * @param baseName name of the base type when the type is a domain over a built-in one; otherwise undefined
 */
export function columnType(typeOid: number, typeModifier: number, baseName: string | undefined): ColumnType {
  const name = builtIn[typeOid] ?? baseName;
  const known = name === undefined ? undefined : byName[name];
  return known?.(typeModifier) ?? text;
}
