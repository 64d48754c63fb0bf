import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskSinkUri, parseSinkUri } from '../src/changefeed/sink-uri.ts';

test('a sink URI of TiCDC is read with its defaults', () => {
  assert.deepEqual(parseSinkUri('kafka://kafka:9092/tidb-cdc?protocol=canal-json'), {
    brokers: ['kafka:9092'],
    topic: 'tidb-cdc',
    partitions: undefined,
    replicas: -1,
    createTopic: true,
    clientId: undefined,
    compression: 'none',
    tidbExtension: false,
    contentCompatible: false,
    onlyUpdatedColumns: false,
    messageBytesMax: 10_485_760,
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 10_000,
    tls: undefined,
    sasl: undefined,
  });
});

test('every parameter has its effect', () => {
  const uri = parseSinkUri(
    'kafka://a:1,[::1]:2/t.x?protocol=canal-json&partition-num=6&replication-factor=3&auto-create-topic=false' +
      '&kafka-client-id=me&compression=zstd&enable-tidb-extension=true&enable-tls=true&insecure-skip-verify=true' +
      '&ca=/tls/ca.pem&cert=/tls/cert.pem&key=/tls/key.pem&max-message-bytes=1000&dial-timeout=3s&read-timeout=500ms' +
      '&write-timeout=1m&kafka-version=2.4.0&max-retry=5&max-batch-size=16&required-acks=-1' +
      '&content-compatible=true&only-output-updated-columns=True&output-row-key=false' +
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
    contentCompatible: true,
    onlyUpdatedColumns: true,
    messageBytesMax: 1000,
    connectTimeoutMs: 3000,
    requestTimeoutMs: 60_000,
    tls: { verify: false, caPath: '/tls/ca.pem', certPath: '/tls/cert.pem', keyPath: '/tls/key.pem' },
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
    'kafka://h:1/t?content-compatible=yes',
    'kafka://h:1/t?max-message-bytes=0',
    'kafka://h:1/t?partition-num=0',
    'kafka://h:1/t?compression=rar',
    'kafka://h:1/t?partitionnum=3',
    'kafka://u:p@h:1/t',
    'kafka://h:1/t?cert=/only',
    'kafka://h:1/t?ca=/ca.pem&enable-tls=false',
    'kafka://h:1/t?dial-timeout=ten',
    'kafka://h:1/t?sasl-password=alone',
    'kafka://h:1/t?sasl-user=u&sasl-password=xxxxx',
    'kafka://h:1/t?sasl-user=u&sasl-mechanism=GSSAPI',
  ];
  for (const text of refused) assert.throws(() => parseSinkUri(text), { code: 'SINK_URI_INVALID' }, text);
});

test('a parameter of TiCDC that cannot be kept is refused by name, with the reason', () => {
  for (const [parameter, reason] of [
    ['output-row-key=true', /output-row-key must be false: .*TiKV/],
    ['sasl-gssapi-auth-type=USER', /sasl-gssapi-auth-type: .*Kerberos/],
    ['avro-decimal-handling-mode=string', /avro-decimal-handling-mode: .*avro/],
    ['protocol=open-protocol', /protocol open-protocol is not canal-json/],
    ['required-acks=0', /required-acks must be -1/],
  ] as const) {
    assert.throws(() => parseSinkUri(`kafka://h:1/t?${parameter}`), {
      code: 'SINK_URI_INVALID',
      message: reason,
    });
  }
});

test('values are read in every way that TiCDC reads them', () => {
  const uri = parseSinkUri('kafka://h:1/t?protocol=Canal-JSON&compression=LZ4&enable-tidb-extension=1');
  assert.deepEqual([uri.compression, uri.tidbExtension], ['lz4', true]);
});

test('passwords are covered', () => {
  const masked = maskSinkUri('kafka://h:1/t?sasl-user=u&sasl-password=hunter2&compression=none');
  assert.equal(masked, 'kafka://h:1/t?sasl-user=u&sasl-password=xxxxx&compression=none');
});
