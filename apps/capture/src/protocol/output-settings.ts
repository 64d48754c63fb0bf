/**
 * Settings of a session whose values become messages. The output functions of the types obey them, so the text of a
 * value depends on nothing that the server's configuration, the database or the role says.
 */
export const outputSettings = [
  ['datestyle', 'ISO'],
  ['intervalstyle', 'postgres'],
  ['timezone', 'UTC'],
  ['extra_float_digits', '3'],
  ['bytea_output', 'hex'],
  ['statement_timeout', '0'],
]
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');
