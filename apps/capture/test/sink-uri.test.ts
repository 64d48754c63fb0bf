import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskSinkUri, parseSinkUri } from '../src/changefeed/sink-uri.ts';

test('a sink URI of TiCDC is read with its defaults', () => {
  assert.deepEqual(parseSinkUri('kafka://kafka:9092/tidb-cdc?protocol=canal-json'), {
    brokers: ['kafka:9092'],
    topic: 'tidb-cdc',
    partitions: 3,
    replicas: -1,
    createTopic: true,
    clientId: undefined,
    compression: 'none',
    tidbExtension: false,
    tls: false,
    insecureSkipVerify: false,
    sasl: undefined,
  });
});

test('every parameter has its effect', () => {
  const uri = parseSinkUri(
    'kafka://a:1,[::1]:2/t.x?protocol=canal-json&partition-num=6&replication-factor=3&auto-create-topic=false' +
      '&kafka-client-id=me&compression=zstd&enable-tidb-extension=true&enable-tls=true&insecure-skip-verify=true' +
      '&sasl-user=u&sasl-password=p%26q&sasl-mechanism=SCRAM-SHA-512',
  );
  assert.deepEqual(uri, {
    brokers: ['a:1', '[::1]:2'],
    topic: 't.x',
    partitions: 6,
    replicas: 3,
    createTopic: false,
    clientId: 'me',
    compression: 'zstd',
    tidbExtension: true,
    tls: true,
    insecureSkipVerify: true,
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'p&q' },
  });
});

test('what would not do what it says is refused', () => {
  const refused = [
    'mysql://h:1/t',
    'kafka://h/t',
    'kafka://h:1/',
    'kafka://h:1/a%20b',
    'kafka://h:1/t?protocol=avro',
    'kafka://h:1/t?required-acks=1',
    'kafka://h:1/t?partition-num=0',
    'kafka://h:1/t?compression=rar',
    'kafka://h:1/t?partitionnum=3',
  ];
  for (const text of refused) assert.throws(() => parseSinkUri(text), { code: 'SINK_URI_INVALID' }, text);
});

test('passwords are covered', () => {
  const masked = maskSinkUri('kafka://h:1/t?sasl-user=u&sasl-password=hunter2&compression=none');
  assert.equal(masked, 'kafka://h:1/t?sasl-user=u&sasl-password=xxxxx&compression=none');
});
