import type { SourceRecord } from '@tidemark/pipeline';
import { expectedFate, type SimEvent, simEventOf } from './sim-event.ts';
import type { World } from './world.ts';

/** Judges a finished run by the log, the effects and the dead letters alone; knows nothing of how the engine works. */
export function findViolations(world: World): string[] {
  return [
    ...world.violations,
    ...checkEffects(world),
    ...checkOrder(world),
    ...checkDeadLetters(world),
    ...checkHeldBack(world),
    ...checkLedger(world),
  ];
}

/** Contract 1 and 2: every good event has exactly one effect, and nothing else has any. */
function checkEffects({ cluster, database, desk }: World): string[] {
  const sent = cluster.logs.flat().map(simEventOf);
  const wanted = new Set(sent.filter(event => expectedFate(event.kind) === 'effect').map(({ id }) => id));
  const found = database.effects.map(effect => effect.id);
  const distinct = new Set(found);
  const decidedAgainst = desk?.discarded ?? new Set();
  return [
    ...[...wanted.difference(distinct)].map(id => `event ${id} was lost`),
    ...[...distinct.difference(wanted)].map(id => `event ${id} must not have an effect`),
    ...[...distinct.intersection(decidedAgainst)].map(id => `event ${id} has an effect and was discarded`),
    ...(found.length === distinct.size ? [] : [`${found.length - distinct.size} effects happened twice`]),
  ];
}

/**
 * Contract 3: the effects of a key happened in the order in which they were produced, and when a key may be overtaken by what
 * follows a dead letter, in log order. Ids count up as events are produced.
 */
function checkOrder({ database, desk }: World): string[] {
  const newest = new Map<string, bigint>();
  const violations: string[] = [];
  for (const { key, offset, id } of database.effects) {
    if (desk?.discardedInFlight.has(id)) continue;
    const place = desk ? BigInt(id) : offset;
    if (place <= (newest.get(key) ?? -1n)) violations.push(`event ${id} of ${key} took effect out of order`);
    newest.set(key, place);
  }
  return violations;
}

/** Contract 4, 5 and 1: every event that can never succeed is dead-lettered, and no other for its own sake. */
function checkDeadLetters({ cluster, deadLetters }: World): string[] {
  const found = new Set(deadLetters.map(letter => placeOf(letter.record)));
  const bad = cluster.logs.flat().filter(record => fateOf(record) === 'dead letter');
  const wanted = new Set(bad.map(placeOf));
  const blamed = deadLetters.filter(({ rejection }) => rejection.reason !== 'parked');
  return [
    ...[...wanted.difference(found)].map(place => `${place} should have been dead-lettered`),
    ...blamed
      .filter(({ record }) => !wanted.has(placeOf(record)))
      .map(({ record, rejection }) => `${placeOf(record)} was dead-lettered as ${rejection.reason}`),
  ];
}

/** Contract 3: an event is held back only behind a dead letter of its key, and only where keys are parked. */
function checkHeldBack({ deadLetters, desk }: World): string[] {
  const failed = new Map<string, bigint>();
  const violations: string[] = [];
  for (const { record, rejection } of deadLetters) {
    const key = `${record.partition}/${String(record.key)}`;
    const first = failed.get(key);
    if (rejection.reason === 'parked' && (!desk || first === undefined || first >= record.offset)) {
      violations.push(`${placeOf(record)} was held back behind nothing`);
    }
    if (rejection.reason !== 'parked' && (first === undefined || record.offset < first)) {
      failed.set(key, record.offset);
    }
  }
  return violations;
}

/**
 * Contract 9: the stored counts are what the log, the effects and the dead letters say. Between a letter and the position
 * that passes its event the owner may change; if the key was released meanwhile, an event that was only held back is
 * delivered and its letter is one too many. So letters bound the count from above, and bad events from below.
 */
function checkLedger({ cluster, database, deadLetters }: World): string[] {
  return cluster.logs.flatMap((log, partition) => {
    const counts = database.positions.get(partition)?.counts;
    if (!counts) return log.length === 0 ? [] : [`partition ${partition} has no ledger`];
    const letters = deadLetters.filter(({ record }) => record.partition === partition);
    const lettersMax = new Set(letters.map(({ record }) => record.offset)).size;
    const lettersMin = log.filter(record => fateOf(record) === 'dead letter').length;
    const filtered = log.filter(record => fateOf(record) === 'filtered').length;
    const delivered = database.effects.filter(effect => effect.partition === partition).length;
    const { deadLettered } = counts;
    const duplicate = log.length - deadLettered - filtered - delivered;
    const wanted = { read: log.length, delivered, duplicate, filtered, deadLettered };
    const same = JSON.stringify(wanted) === JSON.stringify({ ...wanted, ...counts });
    const within = lettersMin <= deadLettered && deadLettered <= lettersMax;
    return same && within
      ? []
      : [
          `ledger of ${partition}: ${JSON.stringify(counts)}, not ${JSON.stringify(wanted)} with ${lettersMin} to ${lettersMax} letters`,
        ];
  });
}

function placeOf({ partition, offset }: SourceRecord): string {
  return `${partition}/${offset}`;
}

function fateOf(record: SourceRecord): ReturnType<typeof expectedFate> {
  return expectedFate(simEventOf(record).kind satisfies SimEvent['kind']);
}
