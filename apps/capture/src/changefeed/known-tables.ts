import type { Relation, TypeName } from '../protocol/pgoutput.ts';
import type { DescribedTable } from '../snapshot/chunk-reader.ts';
import { keysOf, type TableKeys } from '../tables/catalog.ts';
import { messageDatabase } from '../tables/names.ts';
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
  shapeFor(table: Omit<DescribedTable, 'sqlTypes'>): TableShape {
    const { databaseName } = this.#source.scope;
    return tableShape({ ...this.#rules, databaseName, ...table });
  }

  nameType(type: TypeName): void {
    this.#typeNames.set(type.oid, type.name);
  }

  /**
   * A table is described anew. What the description does not tell the catalog does: the primary key where the identity
   * is the full row, and an index that places rows. Then the answer is a promise, and rows of the table must wait for it.
   */
  describe(relation: Relation): Promise<void> | undefined {
    const database = messageDatabase(this.#source.scope.databaseName, relation.schema);
    const hasIndex = this.#rules.dispatcher(database, relation.name).index !== undefined;
    if (relation.replicaIdentity !== 'f' && !hasIndex) {
      this.#keep(relation, { primaryKey: null, uniqueIndexes: [] });
      return undefined;
    }
    return this.#source.use(client => keysOf(client, relation.oid)).then(keys => this.#keep(relation, keys));
  }

  #keep(relation: Relation, keys: TableKeys): void {
    const shape = this.shapeFor({ relation, ...keys, typeNames: this.#typeNames });
    this.#shapes.set(relation.oid, shape);
  }
}
