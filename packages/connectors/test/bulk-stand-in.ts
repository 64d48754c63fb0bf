import type { Answer } from './http-peer.ts';

/**
 * As much of a search index as the Bulk API promises (Elasticsearch and OpenSearch REST, "Bulk API", "External versioning"):
 * actions and documents as lines, an answer for each, external versions that only grow, and versions of deleted
 * documents that are kept. Independent of the sink; a document whose row has `refuse` does not fit the mapping.
 */
export class BulkStandIn {
  readonly versions = new Map<string, bigint>();
  /** Ids in the order in which they were written. */
  readonly written: string[] = [];
  readonly deleted = new Set<string>();

  reset(): void {
    this.versions.clear();
    this.written.length = 0;
    this.deleted.clear();
  }

  readonly answer: Answer = (request, body, response) => {
    const text = body.toString();
    if (request.method !== 'POST' || request.url !== '/_bulk' || !text.endsWith('\n')) {
      response.writeHead(400).end('{"error":{"type":"illegal_argument_exception"}}');
      return;
    }
    const items: object[] = [];
    const lines = text.split('\n').slice(0, -1);
    while (lines.length > 0) {
      const action = lines.shift() ?? '';
      const isDelete = action.startsWith('{"delete"');
      items.push(this.#apply(action, isDelete ? undefined : lines.shift(), isDelete ? 'delete' : 'index'));
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: false, items }));
  };

  #apply(action: string, document: string | undefined, name: 'index' | 'delete'): object {
    const { _id: id, version_type: type } = (
      JSON.parse(action) as Record<string, { _id: string; version_type: string }>
    )[name] ?? { _id: '', version_type: '' };
    const version = BigInt(/"version":(\d+)/.exec(action)?.[1] ?? -1);
    if (type !== 'external' || version < 0n)
      return { [name]: { status: 400, error: { type: 'validation' } } };
    if (document?.includes('"refuse"')) {
      return { [name]: { status: 400, error: { type: 'mapper_parsing_exception', reason: 'no' } } };
    }
    if (version <= (this.versions.get(id) ?? -1n)) {
      return { [name]: { status: 409, error: { type: 'version_conflict_engine_exception' } } };
    }
    this.versions.set(id, version);
    this.written.push(id);
    if (name === 'delete') this.deleted.add(id);
    else this.deleted.delete(id);
    return { [name]: { status: 201 } };
  }
}
