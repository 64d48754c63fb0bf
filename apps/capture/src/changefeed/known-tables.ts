import type { Relation, TypeName } from '../protocol/pgoutput.ts';
import type { DescribedTable } from '../snapshot/chunk-reader.ts';
import { primaryKeyOf } from '../tables/catalog.ts';
import { type TableRules, type TableShape, tableShape } from '../tables/table-shape.ts';
import type { SourceSession } from './source-session.ts';

/** The tables that a stream has described, each in the version that holds for the rows that follow. */
export class KnownTables {
  readonly #source: SourceSession;
  readonly #rules: TableRules;
  readonly #shapes = new Map<number, TableShape>();
  readonly #typeNames = new Map<number, string>();

  constructor(source: SourceSession, rules: TableRules) {
    this.#source = source;
    this.#rules = rules;
  }

  shapeOf(relationOid: number): TableShape | undefined {
    return this.#shapes.get(relationOid);
  }

  /** The shape of a table that the catalog has described, for reading it. */
  shapeFor({ relation, primaryKey, typeNames }: Omit<DescribedTable, 'sqlTypes'>): TableShape {
    const { databaseName } = this.#source.scope;
    return tableShape({ ...this.#rules, databaseName, relation, primaryKey, typeNames });
  }

  nameType(type: TypeName): void {
    this.#typeNames.set(type.oid, type.name);
  }

  /**
   * A table is described anew. With the full row as identity only the catalog knows the primary key: then the answer
   * is a promise, and rows of the table must wait for it.
   */
  describe(relation: Relation): Promise<void> | undefined {
    if (relation.replicaIdentity !== 'f') {
      this.#keep(relation, null);
      return undefined;
    }
    return this.#source
      .use(client => primaryKeyOf(client, relation.oid))
      .then(key => this.#keep(relation, key));
  }

  #keep(relation: Relation, primaryKey: readonly string[] | null): void {
    const shape = this.shapeFor({ relation, primaryKey, typeNames: this.#typeNames });
    this.#shapes.set(relation.oid, shape);
  }
}
