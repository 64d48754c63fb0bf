import type { CatalogTable } from './catalog.ts';

/** What a changefeed's configuration says about tables whose rows nothing identifies. */
export interface EligibilityOptions {
  /** Capture tables without a key when their replica identity is the full row. */
  readonly forceReplicate: boolean;
}

/**
 * Why a table cannot be captured, with the remedy; undefined when it can. A published table whose identity does not
 * suffice makes PostgreSQL refuse the user's own UPDATE and DELETE, so the question is settled before publishing.
 */
export function whyIneligible(
  table: CatalogTable,
  { forceReplicate }: EligibilityOptions,
): string | undefined {
  const name = `"${table.schema}"."${table.name}"`;
  switch (table.replicaIdentity) {
    case 'd':
      return table.primaryKey === null
        ? `${name} has no primary key: add one, or ALTER TABLE ${name} REPLICA IDENTITY FULL and set force_replicate`
        : undefined;
    case 'i':
      return table.hasIdentityIndex
        ? undefined
        : `${name} lost the index of its replica identity: ALTER TABLE ${name} REPLICA IDENTITY DEFAULT or USING INDEX`;
    case 'f':
      return table.primaryKey !== null || forceReplicate
        ? undefined
        : `${name} has no primary key: add one, or set force_replicate (its rows are then identified by all columns)`;
    case 'n':
      return `${name} has no replica identity: ALTER TABLE ${name} REPLICA IDENTITY DEFAULT or FULL`;
    default:
      return table.replicaIdentity satisfies never;
  }
}
