import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type MetricDefinition, metricCatalogue } from '../src/index.ts';

/** Names that dashboards knew before there were conventions here. */
const established = new Set(['consumer_lag', 'inflight_workers']);
/** Base units of the Prometheus conventions, and what is counted without one. */
const gaugeNames =
  /_(?:seconds|bytes|ratio|celsius|info|state|connections|statements|clients|members|offset|events|workers|partitions|lag)$/;
/** Labels whose values a service, a deployment or an operator bounds; an id of a user or an event is none of them. */
const bounded = new Set([
  'method',
  'route',
  'status_code',
  'changefeed',
  'table',
  'op',
  'state',
  'api',
  'error',
  'direction',
  'topic',
  'partition',
  'group',
  'pipeline',
  'result',
  'query',
  'reason',
  'slot',
]);

describe('metric catalogue', () => {
  for (const [name, definition] of Object.entries<MetricDefinition>(metricCatalogue)) {
    test(`${name} follows the conventions`, () => {
      const { kind, help, labels, buckets } = definition;
      assert.match(name, /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/);
      assert.equal(
        name.endsWith('_total'),
        kind === 'counter',
        '_total is for counters, and for all of them',
      );
      if (kind === 'histogram') assert.match(name, /_(?:seconds|bytes)$/);
      if (kind === 'gauge' && !established.has(name)) assert.match(name, gaugeNames);
      assert.doesNotMatch(name, /_(?:ms|millis|milliseconds|kb|mb|percent|pct)(?:_|$)/, 'base units only');
      assert.match(help, /^[A-Z0-9].{9,}\.$/, 'help is a sentence');
      assert.deepEqual(
        labels.filter(label => !bounded.has(label)),
        [],
      );
      assert.equal(new Set(labels).size, labels.length);
      assert.equal(buckets !== undefined, kind === 'histogram');
      assert.deepEqual(
        [...(buckets ?? [])].sort((a, b) => a - b),
        [...(buckets ?? [])],
      );
    });
  }

  test('every metric has its own help', () => {
    const helps = Object.values(metricCatalogue).map(({ help }) => help);
    assert.equal(new Set(helps).size, helps.length);
  });
});
