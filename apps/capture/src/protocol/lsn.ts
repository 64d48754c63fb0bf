/**
 * Log sequence numbers as PostgreSQL writes them: two hexadecimal halves, `16/B374D848`
 * (PostgreSQL documentation, "pg_lsn Type"). In programs they are the 64-bit number that the halves make.
 */
export function parseLsn(text: string): bigint {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text);
  if (!match) throw new RangeError(`not a log sequence number: ${text}`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

export function formatLsn(lsn: bigint): string {
  const upper = (lsn >> 32n).toString(16).toUpperCase();
  const lower = (lsn & 0xffff_ffffn).toString(16).toUpperCase();
  return `${upper}/${lower}`;
}
