import { describeError, errorCode, TidemarkError } from '@tidemark/kernel';

/** True for failures that only a person can mend; everything else is tried again. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof RangeError) return true;
  const code = errorCode(error);
  return code !== undefined && permanentCodes.has(code);
}

/** SQLSTATEs stand in appendix A of the PostgreSQL documentation. */
const permanentCodes = new Set([
  'KAFKA_REFUSED',
  'PREFLIGHT_FAILED',
  'TABLE_INELIGIBLE',
  'PUBLICATION_MISSING',
  'SECRET_UNREADABLE',
  'SLOT_MISSING',
  'SLOT_LOST',
  'SLOT_FOREIGN',
  'SLOT_EXISTS',
  'SLOT_ADVANCED',
  'SOURCE_CHANGED',
  'SOURCE_DIVERGED',
  'SOURCE_URI_INVALID',
  'SINK_URI_INVALID',
  'FILTER_RULE_INVALID',
  'PARAMETER_INVALID',
  'COLUMN_SELECTOR_INVALID',
  'DISPATCHER_INVALID',
  '28000', // invalid_authorization_specification
  '28P01', // invalid_password
  '3D000', // invalid_catalog_name: no such database
  '42501', // insufficient_privilege
  '42704', // undefined_object: the publication was dropped under us
]);

/** What to do about answers of the server that mean the same wherever they come from. */
const remedies: Readonly<Record<string, string>> = {
  28000: 'Correct the user in source_uri, or let it in by pg_hba.conf.',
  '28P01': 'Correct the password in source_uri.',
  '3D000': 'Correct the database in source_uri.',
  42501: 'Grant what is missing, and resume the changefeed.',
  42704:
    'The publication was dropped while it was needed. Remove the changefeed and create it again with initial_copy.',
};

/** What is shown for a failure. */
export function explainFailure(error: unknown): string {
  const own = error instanceof TidemarkError ? error.hint : undefined;
  const hint = own ?? remedies[errorCode(error) ?? ''];
  return hint === undefined ? describeError(error) : `${describeError(error)} — ${hint}`;
}
