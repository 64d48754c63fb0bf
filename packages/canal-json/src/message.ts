/** Column values as Canal-JSON carries them: text, or null for SQL NULL. */
export type Row = Readonly<Record<string, string | null>>;

export const rowTypes = ['INSERT', 'UPDATE', 'DELETE'] as const;
export type RowType = (typeof rowTypes)[number];

/** Every DDL type that TiCDC emits; what fits nowhere else is `QUERY` (TiCDC, `convertDdlEventType`). */
export const ddlTypes = [
  'CREATE',
  'ERASE',
  'ALTER',
  'RENAME',
  'TRUNCATE',
  'CINDEX',
  'DINDEX',
  'QUERY',
] as const;
export type DdlType = (typeof ddlTypes)[number];

export const watermarkType = 'TIDB_WATERMARK';

interface Stamped {
  /** Commit time in the source, milliseconds since the Unix epoch. */
  readonly esMs: number;
  /** When the message was built, milliseconds since the Unix epoch. */
  readonly tsMs: number;
}

/** A change of one row. */
export interface RowChange extends Stamped {
  readonly kind: 'row';
  readonly type: RowType;
  readonly database: string;
  readonly table: string;
  /** Columns of the primary key in table order; empty when the table has none. */
  readonly pkNames: readonly string[];
  /** JDBC type number by column. */
  readonly sqlTypes: Readonly<Record<string, number>>;
  /** MySQL type by column, with parameters in the content-compatible form. */
  readonly mysqlTypes: Readonly<Record<string, string>>;
  /** The row after an INSERT or UPDATE, the row that was removed by a DELETE. */
  readonly data: Row;
  /** The row before an UPDATE: whole, or only what changed, or null when the source did not say. Null otherwise. */
  readonly old: Row | null;
  /** Commit position in the source (a TSO); undefined without the TiDB extension. Exact: it exceeds 2^53. */
  readonly commitTs: bigint | undefined;
  /** The row was too large: `data` holds the handle key only and the rest has to be read from the source. */
  readonly onlyHandleKey: boolean;
  /** The row was too large: the whole message lies at this address. */
  readonly claimCheckLocation: string | undefined;
  /** Base64 of TiDB's row key, when the changefeed asks for it (`output-row-key`). */
  readonly rowKey: string | undefined;
}

/** A change of the schema. */
export interface DdlChange extends Stamped {
  readonly kind: 'ddl';
  readonly type: DdlType;
  readonly database: string;
  /** Empty when the statement concerns a whole database. */
  readonly table: string;
  readonly sql: string;
  readonly commitTs: bigint | undefined;
}

/** Promise of the source: every change with a commitTs at or below `watermarkTs` was sent before, in every partition. */
export interface Watermark extends Stamped {
  readonly kind: 'watermark';
  readonly watermarkTs: bigint;
}

export type CanalMessage = RowChange | DdlChange | Watermark;
