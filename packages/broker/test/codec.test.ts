import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as client from '@platformatic/kafka';
import { seededRandom } from '@tidemark/kernel';
import type { Api } from '../src/api/api.ts';
import { apis } from '../src/api/index.ts';
import type { Codec } from '../src/wire/field.ts';
import { WireReader } from '../src/wire/wire-reader.ts';
import { WireWriter } from '../src/wire/wire-writer.ts';
import { randomMessage } from './frames.ts';

const SEED = Number(process.env['TIDEMARK_CODEC_SEED'] ?? Date.now() % 1_000_000);
const MESSAGES = 15;

function encode(codec: Codec<unknown>, message: unknown): Buffer {
  const writer = new WireWriter();
  codec.write(writer, message);
  const bytes = Buffer.concat(writer.finish());
  assert.equal(writer.length, bytes.length, 'the writer knows what it wrote');
  return bytes;
}

function versionsOf(api: Api): number[] {
  const [first, last] = api.versions;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe(`codecs (seed ${SEED})`, () => {
  for (const api of apis) {
    test(`${api.name} reads back what it writes, in every version`, () => {
      const random = seededRandom(SEED);
      for (const version of versionsOf(api)) {
        for (const codec of Object.values(api.codecs(version))) {
          for (let index = 0; index < MESSAGES; index += 1) {
            const message = randomMessage(codec, random);
            const bytes = encode(codec, message);
            const reader = new WireReader(bytes);
            assert.deepEqual(codec.read(reader), message, `version ${version}`);
            assert.equal(reader.remaining, 0, `version ${version} leaves bytes unread`);
          }
        }
      }
    });

    test(`${api.name} survives being cut anywhere`, () => {
      const random = seededRandom(SEED + 1);
      const codec = api.codecs(api.versions[1]).request;
      const bytes = encode(codec, randomMessage(codec, random));
      for (let length = 0; length < bytes.length; length += 1) {
        try {
          codec.read(new WireReader(bytes.subarray(0, length)));
        } catch (error) {
          assert.equal((error as Error).name, 'WireError');
        }
      }
    });
  }
});

/** What @platformatic/kafka exports per API and version, such as `fetchV17`. */
interface ClientApi {
  readonly api: { readonly parseResponse?: unknown };
}

type ParseResponse = (
  correlationId: number,
  apiKey: number,
  apiVersion: number,
  reader: client.Reader,
) => unknown;

function clientParser(api: Api, version: number): ParseResponse | undefined {
  const name = `${api.name.charAt(0).toLowerCase()}${api.name.slice(1)}V${version}`;
  const found = (client as unknown as Record<string, ClientApi | undefined>)[name];
  return (
    (found?.api as { parseResponse?: ParseResponse } | undefined)?.parseResponse ??
    (found as { parseResponse?: ParseResponse } | undefined)?.parseResponse
  );
}

describe(`responses as an independent client reads them (seed ${SEED})`, () => {
  /** Not comparable here: the client decodes their records. The contract suite reads them with it over the wire. */
  const compared = apis.filter(api => !['Fetch', 'ApiVersions'].includes(api.name));
  let parsers = 0;
  for (const api of compared) {
    for (const version of versionsOf(api)) {
      const parse = clientParser(api, version);
      if (!parse) continue;
      parsers += 1;
      test(`${api.name} version ${version}`, () => {
        const random = seededRandom(SEED);
        const codec = api.codecs(version).response;
        for (let index = 0; index < 10; index += 1) {
          const bytes = encode(codec, withoutErrors(randomMessage(codec, random)));
          const reader = client.Reader.from(bytes);
          parse(1, api.key, version, reader);
          assert.equal(reader.remaining, 0, 'the client read every byte and no more');
        }
      });
    }
  }

  test('the client has parsers to compare with', () => {
    assert.ok(parsers > 60, `only ${parsers}`);
  });
});

/** The client throws for error codes, which is not what is compared here. */
function withoutErrors(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(withoutErrors);
  if (Buffer.isBuffer(message) || typeof message !== 'object' || message === null) return message;
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => {
      if (/errorcode$/i.test(name)) return [name, 0];
      if (/errormessage$/i.test(name)) return [name, null];
      return [name, withoutErrors(value)];
    }),
  );
}
