import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Admin, SASLMechanisms } from '@platformatic/kafka';
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import { type BrokerOptions, type RunningBroker, startBroker } from '../src/index.ts';

const users = [{ username: 'ada', password: 'correct horse, battery' }];

async function withBroker(
  options: BrokerOptions,
  work: (broker: RunningBroker) => Promise<void>,
): Promise<void> {
  const broker = await startBroker(options);
  try {
    await work(broker);
  } finally {
    await broker.stop();
  }
}

async function listTopics(broker: RunningBroker, config: Partial<KafkaConfig>): Promise<string[]> {
  const kafka = new Kafka({
    brokers: [broker.address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    ...config,
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

describe('authentication', () => {
  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    test(`kafkajs proves itself with ${mechanism}, and is refused with a wrong password or name`, async () => {
      await withBroker({ sasl: { users } }, async broker => {
        const as = (username: string, password: string) =>
          listTopics(broker, { sasl: { mechanism, username, password } as SASLOptions });
        assert.deepEqual(await as('ada', 'correct horse, battery'), []);
        await assert.rejects(as('ada', 'wrong'), /auth/i);
        await assert.rejects(as('eve', 'correct horse, battery'), /auth/i);
      });
    });
  }

  test('@platformatic/kafka proves itself with SCRAM', async () => {
    await withBroker({ sasl: { users } }, async broker => {
      const admin = new Admin({
        clientId: 'sasl',
        bootstrapBrokers: [broker.address],
        sasl: {
          mechanism: SASLMechanisms.SCRAM_SHA_512,
          username: 'ada',
          password: 'correct horse, battery',
        },
      });
      assert.deepEqual(await admin.listTopics(), []);
      await admin.close();
    });
  });

  test('who does not prove anything gets nothing, and a mechanism that is not offered is refused', async () => {
    await withBroker({ sasl: { users, mechanisms: ['SCRAM-SHA-256'] } }, async broker => {
      await assert.rejects(listTopics(broker, {}));
      const sasl = { mechanism: 'plain', username: 'ada', password: 'correct horse, battery' } as const;
      await assert.rejects(listTopics(broker, { sasl }), /mechanism/i);
    });
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A certificate for 127.0.0.1 that nobody but this test trusts. */
function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = spawnSync('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject,
    ]);
    assert.equal(made.status, 0, made.stderr.toString());
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('TLS with a known certificate, and plain text gets nowhere', {
  skip: !hasOpenssl && 'openssl is not installed',
}, async () => {
  const tls = selfSigned();
  await withBroker({ tls, sasl: { users } }, async broker => {
    const sasl = { mechanism: 'plain', username: 'ada', password: 'correct horse, battery' } as const;
    assert.deepEqual(await listTopics(broker, { ssl: { ca: [tls.cert] }, sasl }), []);
    await assert.rejects(listTopics(broker, { connectionTimeout: 500, sasl }));
  });
});
