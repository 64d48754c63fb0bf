import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type Available, need } from '../availability.ts';
import { storedCodecs } from '../protocol-probe.ts';
import { apacheKafka, embedded, onBroker } from '../targets.ts';
import { Trial, type TrialProgram, type TrialSection } from './trial.ts';

/** What is expected of every client: the same on the embedded broker as on Apache Kafka. */
export interface ForeignClient {
  readonly title: string;
  readonly program: Available<TrialProgram>;
  /** What its topics are called: `<prefix>-gzip` and so on. */
  readonly prefix: string;
  /** Sections that this library has nothing for. */
  readonly without?: readonly TrialSection[];
}

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const records = Array.from(
  { length: 100 },
  (_, index) => [`key-${index % 5}`, `value ${index} ${'tide '.repeat(20)}`] as const,
);
const allPartitions = [0, 1, 2, 3];

/** Tries a client on the embedded broker and on Apache Kafka. */
export async function tryClient({ title, program, prefix, without = [] }: ForeignClient): Promise<void> {
  for (const target of [embedded, await apacheKafka('4')]) {
    onBroker(target, { title, skip: program.skip }, broker => {
      let trial: Trial;
      before(async () => {
        const plan = {
          bootstrap: broker().bootstrap,
          codecs,
          records,
          firstTimestampMs: Date.now() - 60_000,
        };
        trial = await Trial.run(need(program), plan);
      });
      const section = (name: TrialSection, title: string, check: () => void | Promise<void>) => {
        if (!without.includes(name)) test(title, check);
      };

      section('admin', 'creates, describes, changes, grows and deletes a topic', () => {
        assert.deepEqual(trial.saw('admin'), {
          created: 3,
          retention: ['3600000', '7200000'],
          grown: 5,
          refusal: 'TOPIC_ALREADY_EXISTS',
        });
      });

      for (const codec of codecs) {
        section('codecs', `writes and reads with ${codec}, and the broker keeps the codec`, async () => {
          assert.deepEqual(
            trial.saw('codecs')[codec],
            records.map(([key, value], offset) => [offset, key, value, 'origin']),
          );
          assert.deepEqual(await storedCodecs(broker().bootstrap, `${prefix}-${codec}`), [codec]);
        });
      }

      section('idempotent', 'writes idempotently', () => {
        assert.deepEqual(trial.saw('idempotent'), records);
      });

      section('transactions', 'commits and aborts transactions, with the offsets of a group in them', () => {
        const ten = (name: string) => Array.from({ length: 10 }, (_, index) => `${name} ${index}`);
        assert.deepEqual(trial.saw('transactions'), {
          committed: [...ten('first'), ...ten('second')],
          all: [...ten('first'), ...ten('dropped'), ...ten('second')],
          groupOffset: 7,
        });
      });

      section('time', 'starts at a time', () => {
        assert.deepEqual(trial.saw('time'), { offset: 4, value: '4', beyond: 'end' });
      });

      const sharing = (name: 'groups' | 'cooperative') => {
        const { alone, shared, left, values, committed } = trial.saw(name);
        assert.deepEqual(alone, allPartitions);
        assert.deepEqual(
          shared.flat().toSorted((a, b) => a - b),
          allPartitions,
        );
        assert.deepEqual(
          shared.map(({ length }) => length),
          [2, 2],
        );
        assert.deepEqual(left, allPartitions);
        assert.deepEqual(values.toSorted(), records.map(([, value]) => value).toSorted());
        assert.equal(committed, 2 * records.length);
      };
      section('groups', 'shares partitions in a group, hands them over, and loses no record', () =>
        sharing('groups'),
      );
      section('cooperative', 'does the same with cooperative rebalances', () => sharing('cooperative'));
    });
  }
}
