import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TupleView, tupleBytes } from '../src/protocol/tuple.ts';
import { type CopiedRow, CopyWindow } from '../src/snapshot/copy-window.ts';
import { parseSnapshot } from '../src/snapshot/visibility.ts';
import { columnTreatment } from '../src/tables/column-treatment.ts';
import { dispatcherOf } from '../src/tables/dispatcher.ts';
import { tableShape } from '../src/tables/table-shape.ts';

const oid = 7;
const shape = tableShape({
  databaseName: 'd',
  relation: {
    oid,
    schema: 'public',
    name: 't',
    replicaIdentity: 'd',
    columns: [{ name: 'id', isKey: true, typeOid: 25, typeModifier: -1 }],
  },
  primaryKey: null,
  uniqueIndexes: [],
  typeNames: new Map(),
  treat: columnTreatment({ columnSelectors: [], mask: [], caseSensitive: false }),
  dispatcher: dispatcherOf([], false),
  maskKey: new Uint8Array(),
});

function row(id: string): TupleView {
  const tuple = new TupleView();
  tuple.read(tupleBytes([id]), 0);
  return tuple;
}
const read = (...ids: string[]): CopiedRow[] => ids.map(id => ({ key: id, tuple: row(id) }));
const chunk = (snapshot: string, ...ids: string[]) => ({
  token: 'mark',
  shape,
  rows: read(...ids),
  visibility: parseSnapshot(snapshot),
});
function sent(window: CopyWindow): string[] | 'again' | undefined {
  const outcome = window.reached('mark');
  return outcome?.kind === 'rows' ? outcome.rows.map(({ key }) => key) : outcome?.kind;
}

test('a snapshot sees what ended before it, and nothing else', () => {
  const snapshot = parseSnapshot('10:20:12,15');
  assert.deepEqual(
    [9, 11, 12, 15, 19, 20].map(xid => snapshot.sees(xid)),
    [true, true, false, false, true, false],
  );
});

test('the 32 bits of the stream stand for the nearest transaction, also where they begin anew', () => {
  const snapshot = parseSnapshot('4294967290:4294967306:');
  assert.deepEqual(
    [4294967289, 4294967291, 5, 10, 11].map(xid => snapshot.sees(xid)),
    [true, true, true, false, false],
  );
});

test('rows are sent at the mark, apart from those that the read did not see change', () => {
  const window = new CopyWindow();
  window.open(oid);
  window.begin(5);
  window.changed(oid, shape, row('seen'));
  window.begin(6);
  window.changed(oid, shape, row('unseen'));
  assert.equal(window.offer(chunk('6:7:6', 'seen', 'unseen', 'still')), true);
  window.begin(8);
  window.changed(oid, shape, row('later'));
  assert.deepEqual(sent(window), ['seen', 'still']);
});

test('a change between the read and the mark counts as unseen', () => {
  const window = new CopyWindow();
  window.open(oid);
  assert.equal(window.offer(chunk('5:5:', 'a', 'b')), true);
  window.begin(5);
  window.changed(oid, shape, row('b'));
  window.changed(99, shape, row('a'));
  assert.deepEqual(sent(window), ['a']);
});

test('what was sent before anybody watched must have been seen by the read', () => {
  const window = new CopyWindow();
  window.begin(5);
  window.open(oid);
  window.changed(oid, shape, row('a'));
  assert.equal(window.offer(chunk('5:6:5', 'a')), false);
  window.open(oid);
  assert.equal(window.offer(chunk('6:6:', 'a')), true);
  assert.deepEqual(sent(window), ['a']);
});

test('what one chunk watched is unwatched for the next', () => {
  const window = new CopyWindow();
  window.open(oid);
  window.begin(5);
  window.close();
  window.open(oid);
  assert.equal(window.offer(chunk('5:6:5', 'a')), false);
});

test('a row that overtook the read only in part is read again, for nobody else knows the rest', () => {
  const window = new CopyWindow();
  const inPart = new TupleView();
  inPart.read(tupleBytes(['b', undefined]), 0);
  window.open(oid);
  assert.equal(window.offer(chunk('5:5:', 'a', 'b')), true);
  window.begin(5);
  window.changed(oid, shape, inPart);
  assert.equal(sent(window), 'again');
  window.open(oid);
  assert.equal(window.offer(chunk('6:6:', 'a')), true);
  window.begin(6);
  window.changed(oid, shape, inPart);
  assert.deepEqual(sent(window), ['a']);
});

test('a table that was emptied meanwhile is read again', () => {
  const window = new CopyWindow();
  window.open(oid);
  assert.equal(window.offer(chunk('5:5:', 'a')), true);
  window.begin(5);
  window.truncated(oid);
  assert.equal(sent(window), 'again');
});

test('the mark of a session that died belongs to nobody', () => {
  const window = new CopyWindow();
  assert.equal(sent(window), undefined);
  window.open(oid);
  window.offer({ ...chunk('5:5:', 'a'), token: 'other' });
  assert.equal(sent(window), undefined);
});
