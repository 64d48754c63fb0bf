import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ByteWriter,
  binaryText,
  binaryValue,
  type CanalMessage,
  ddlTypes,
  decode,
  encode,
  rowTypes,
  tableEncoder,
  tsoFromMs,
  tsoToMs,
} from '@tidemark/canal-json';
import * as fc from 'fast-check';

const anyText = fc.string({ unit: 'binary' }).map(text => text.toWellFormed());
const value = fc.option(anyText);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const millis = fc.nat({ max: 2 ** 44 });
const stamps = { esMs: millis, tsMs: millis };

/** Records as literals make them; fast-check would also make some without a prototype. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });

const row = fc.uniqueArray(anyText, { minLength: 1, maxLength: 6 }).chain(names => {
  const of = <T>(content: fc.Arbitrary<T>) =>
    fc
      .array(content, { minLength: names.length, maxLength: names.length })
      .map(list => Object.fromEntries(names.map((name, index) => [name, list[index] as T])));
  return record({
    kind: fc.constant('row' as const),
    type: fc.constantFrom(...rowTypes),
    database: anyText,
    table: anyText,
    pkNames: fc.subarray(names),
    ...stamps,
    sqlTypes: of(fc.integer({ min: -10, max: 3000 })),
    mysqlTypes: of(anyText),
    data: of(value),
    old: fc.option(of(value)),
    commitTs: fc.option(uint64, { nil: undefined }),
    onlyHandleKey: fc.boolean(),
    claimCheckLocation: fc.option(anyText, { nil: undefined }),
    rowKey: fc.option(anyText, { nil: undefined }),
  });
});

/** Only an update carries `old`, and the switches live in the extension. */
const validRow = row.map(change => ({
  ...change,
  old: change.type === 'UPDATE' ? change.old : null,
  ...(change.commitTs === undefined
    ? { onlyHandleKey: false, claimCheckLocation: undefined, rowKey: undefined }
    : {}),
}));
const ddl = record({
  kind: fc.constant('ddl' as const),
  type: fc.constantFrom(...ddlTypes),
  database: anyText,
  table: anyText,
  ...stamps,
  sql: anyText,
  commitTs: fc.option(uint64, { nil: undefined }),
});
const watermark = record({ kind: fc.constant('watermark' as const), ...stamps, watermarkTs: uint64 });

test('whatever is encoded decodes to the same message', () => {
  fc.assert(
    fc.property(fc.oneof(validRow, ddl, watermark), (message: CanalMessage) => {
      assert.deepEqual(decode(encode(message)), message);
    }),
    { numRuns: 500 },
  );
});

test('a writer that serves many messages gives each its own bytes, across the ends of its slabs', () => {
  const columns = [{ name: 'v', sqlType: 12, mysqlType: 'varchar' }];
  const encoder = tableEncoder({ database: 'd', name: 't', pkNames: [], columns });
  const stamp = { esMs: 1, tsMs: 2, commitTs: 3n };
  const text = fc.oneof(
    anyText,
    fc.nat({ max: 100_000 }).map(length => '\u0001'.repeat(length)),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 20 }), texts => {
      const out = new ByteWriter();
      const messages = texts.map(value => {
        encoder.encode(out, 'INSERT', stamp, { writeValue: writer => writer.text(value) }, null);
        return out.take();
      });
      const values = messages.map(decode).map(message => message.kind === 'row' && message.data['v']);
      assert.deepEqual(values, texts);
    }),
    { numRuns: 30 },
  );
});

test('binary values survive as ISO-8859-1, by text and by bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      const out = new ByteWriter();
      out.latin1(bytes, 0, bytes.length);
      const text = JSON.parse(out.take().toString()) as string;
      assert.equal(text, binaryText(bytes));
      assert.deepEqual(new Uint8Array(binaryValue(text)), bytes);
    }),
  );
});

test('texts are escaped as TiCDC escapes them', () => {
  const out = new ByteWriter();
  out.text('<a href="x">&\u0000\b\t\n\f\r\\\u2028\u2029é漢\u2027😀\u007f');
  assert.equal(
    out.take().toString(),
    '"\\u003ca href=\\"x\\"\\u003e\\u0026\\u0000\\u0008\\t\\n\\u000c\\r\\\\\\u2028\\u2029é漢\u2027😀\u007f"',
  );
});

test('names are escaped as values are', () => {
  const name = 'a<\\b\b\f\u2028"';
  const out = new ByteWriter();
  out.text(name);
  const literal = out.take().toString();
  const encoded = encode({
    kind: 'ddl',
    type: 'QUERY',
    database: name,
    table: '',
    esMs: 0,
    tsMs: 0,
    sql: '',
    commitTs: undefined,
  });
  assert.ok(encoded.toString().startsWith(`{"id":0,"database":${literal},`));
});

test('a discarded message leaves nothing behind', () => {
  const out = new ByteWriter();
  out.text('half');
  out.discard();
  out.text('whole');
  assert.equal(out.take().toString(), '"whole"');
});

test('a TSO holds its millisecond', () => {
  assert.equal(tsoToMs(429918007904436226n), 1640007049196);
  assert.equal(tsoFromMs(1640007049196) <= 429918007904436226n, true);
});
