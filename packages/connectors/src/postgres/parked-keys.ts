import { createHash } from 'node:crypto';
import { replayHeaders } from '@tidemark/contracts/names';
import {
  headerText,
  type ParkedKey,
  type ParkingConfig,
  type ParkingStep,
  type ReplayMark,
  type SourceRecord,
  type TopicPartition,
} from '@tidemark/pipeline';
import { parseReplayOrigin } from '../kafka/replay-origin.ts';
import type { Pool, Transaction } from './pool.ts';

/** Longest key that is stored as it is, bytes; as in the function `parking_key`. */
const keyBytesMax = 128;

const loadKeys = `
  SELECT encode(key, 'hex') AS key FROM parked_keys
  WHERE pipeline = $1 AND topic = $2 AND partition = $3 LIMIT $4`;

const readKeys = `
  SELECT encode(key, 'hex') AS key, failed_at, failed_pass, last_at, settled_through, sent_seq, returned_seq
  FROM parked_keys
  WHERE pipeline = $1 AND topic = $2 AND partition = $3
    AND key IN (SELECT decode(hex, 'hex') FROM unnest($4::text[]) AS input (hex))`;

/** Parking for a pipeline whose sink keeps its positions in this database. */
export function postgresParking(pipeline: string, pool: Pool, keysMax?: number): ParkingConfig {
  return {
    store: {
      async load({ topic, partition }, max) {
        const { rows } = await pool.query<{ key: string }>(loadKeys, [pipeline, topic, partition, max + 1]);
        return new Set(rows.map(row => row.key));
      },
      async read({ topic, partition }, keys) {
        const { rows } = await pool.query<ParkedRow>(readKeys, [pipeline, topic, partition, keys]);
        return rows.map(parse);
      },
    },
    keyOf,
    replayOf: record => replayOf(pipeline, record),
    ...(keysMax === undefined ? {} : { keysMax }),
  };
}

/** Records without a key have no order to keep. */
function keyOf({ key }: SourceRecord): string | undefined {
  if (key === null || key.length === 0) return undefined;
  return key.length <= keyBytesMax ? key.toString('hex') : createHash('sha256').update(key).digest('hex');
}

function replayOf(pipeline: string, record: SourceRecord): ReplayMark | undefined {
  const origin = parseReplayOrigin(headerText(record, replayHeaders.origin));
  if (origin?.pipeline !== pipeline || origin.partition !== record.partition) return undefined;
  return { pass: origin.pass, seq: origin.seq };
}

const stepInput = `
  unnest($4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
    AS input (hex, first_at, failed_at, failed_pass, last_at, relettered_at, returned_seq)`;

/** What is null has not changed: `greatest` ignores it. */
const changeParked = `
  UPDATE parked_keys AS p SET
    failed_at = greatest(p.failed_at, input.failed_at), failed_pass = greatest(p.failed_pass, input.failed_pass),
    last_at = greatest(p.last_at, input.last_at), relettered_at = greatest(p.relettered_at, input.relettered_at),
    returned_seq = greatest(p.returned_seq, input.returned_seq)
  FROM ${stepInput}
  WHERE p.pipeline = $1 AND p.topic = $2 AND p.partition = $3 AND p.key = decode(input.hex, 'hex')`;

/** A key that was released while its successor was being held back is parked again, by that successor. */
const park = `
  INSERT INTO parked_keys (pipeline, topic, partition, key, parked_at, failed_at, failed_pass, last_at, relettered_at,
    returned_seq)
  SELECT $1, $2, $3, decode(hex, 'hex'), first_at, coalesce(failed_at, first_at), coalesce(failed_pass, 0), last_at,
    coalesce(relettered_at, -1), coalesce(returned_seq, 0)
  FROM ${stepInput}
  WHERE last_at IS NOT NULL
  ON CONFLICT DO NOTHING`;

const release = `
  DELETE FROM parked_keys
  WHERE pipeline = $1 AND topic = $2 AND partition = $3
    AND settled_through >= last_at AND returned_seq >= sent_seq
    AND key IN (SELECT decode(hex, 'hex') FROM unnest($4::text[]) AS input (hex))`;

/** Stores what a batch does to parked keys, in the transaction of its effects and its position. */
export async function storeParking(
  transaction: Transaction,
  pipeline: string,
  { topic, partition }: TopicPartition,
  steps: readonly ParkingStep[],
): Promise<void> {
  if (steps.length === 0) return;
  const sums = sumByKey(steps);
  const of = (pick: (sum: StepSum) => bigint | undefined) => sums.map(sum => pick(sum)?.toString() ?? null);
  const place = [pipeline, topic, partition];
  const keys = sums.map(sum => sum.key);
  const values = [
    ...place,
    keys,
    of(sum => sum.firstAt),
    of(sum => sum.failedAt),
    of(sum => sum.failedPass),
    of(sum => sum.lastAt),
    of(sum => sum.reletteredAt),
    of(sum => sum.returnedSeq),
  ];
  await transaction.query({ name: 'change-parked-keys', text: changeParked, values });
  await transaction.query({ name: 'park-keys', text: park, values });
  await transaction.query({ name: 'release-keys', text: release, values: [...place, keys] });
}

/** What the steps of a key come to; undefined where they change nothing. */
interface StepSum {
  readonly key: string;
  firstAt?: bigint;
  failedAt?: bigint;
  failedPass?: bigint;
  lastAt?: bigint;
  reletteredAt?: bigint;
  returnedSeq?: bigint;
}

/** Steps come in log order. The order of keys is fixed, so that two writers cannot deadlock. */
function sumByKey(steps: readonly ParkingStep[]): StepSum[] {
  const sums = new Map<string, StepSum>();
  for (const { key, at, step, replay } of steps) {
    const sum: StepSum = sums.get(key) ?? { key };
    sums.set(key, sum);
    if (replay) sum.returnedSeq = greatest(sum.returnedSeq, replay.seq);
    if (step === 'passed') continue;
    sum.firstAt ??= at;
    sum.lastAt = at;
    if (replay) sum.reletteredAt = at;
    if (step === 'held') continue;
    sum.failedAt = at;
    if (replay) sum.failedPass = greatest(sum.failedPass, replay.pass);
  }
  return [...sums.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function greatest(a: bigint | undefined, b: bigint): bigint {
  return a === undefined || b > a ? b : a;
}

interface ParkedRow {
  readonly key: string;
  readonly failed_at: string;
  readonly failed_pass: string;
  readonly last_at: string;
  readonly settled_through: string;
  readonly sent_seq: string;
  readonly returned_seq: string;
}

function parse(row: ParkedRow): ParkedKey {
  return {
    key: row.key,
    failedAt: BigInt(row.failed_at),
    failedPass: BigInt(row.failed_pass),
    lastAt: BigInt(row.last_at),
    settledThrough: BigInt(row.settled_through),
    sentSeq: BigInt(row.sent_seq),
    returnedSeq: BigInt(row.returned_seq),
  };
}
