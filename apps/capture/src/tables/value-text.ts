/** PostgreSQL's text of booleans and numbers and times, rewritten as MySQL would print them. */

export function booleanText(value: string): string {
  return value === 't' ? '1' : '0';
}

/**
 * A floating-point number without an exponent, digits unchanged: `1.5e-07` becomes `0.00000015`. NaN and Infinity,
 * which MySQL does not have, stay as they are.
 */
export function decimalText(value: string): string {
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value);
  if (!match) return value;
  const [, sign = '', lead = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  const digits = lead + fraction;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.padEnd(exponent + 1, '0');
  const rest = whole.slice(exponent + 1);
  return `${sign}${whole.slice(0, exponent + 1)}${rest === '' ? '' : `.${rest}`}`;
}

/**
 * Times with a fraction of fixed width, as MySQL's TIMESTAMP(n) prints them, and without the zone, which is UTC.
 * `infinity` and years before Christ, which MySQL does not have, keep PostgreSQL's text.
 * @param precision digits of the fraction
 */
export function timeText(precision: number): (value: string) => string {
  return value => {
    const match = /^(.*\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?( BC)?$/.exec(value);
    if (!match) return value;
    const [, whole = '', fraction = '', era = ''] = match;
    return precision === 0 ? whole + era : `${whole}.${fraction.padEnd(precision, '0')}${era}`;
  };
}

/** The bits of `bit(n)` as an unsigned number, which is how Canal-JSON carries MySQL's BIT. */
export function bitText(value: string): string {
  return BigInt(`0b${value}`).toString();
}
