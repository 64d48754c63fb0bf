import { expectedFate, type SimEvent } from './sim-event.ts';
import type { World } from './world.ts';

/** Judges a finished run by the log, the effects and the dead letters alone; knows nothing of how the engine works. */
export function findViolations(world: World): string[] {
  return [
    ...world.violations,
    ...checkEffects(world),
    ...checkOrder(world),
    ...checkDeadLetters(world),
    ...checkLedger(world),
  ];
}

/** Contract 1 and 2: every good event has exactly one effect, and nothing else has any. */
function checkEffects({ produced, database }: World): string[] {
  const wanted = new Set(
    produced.filter(event => expectedFate(event.kind) === 'effect').map(event => event.id),
  );
  const found = database.effects.map(effect => effect.id);
  const distinct = new Set(found);
  return [
    ...[...wanted.difference(distinct)].map(id => `event ${id} was lost`),
    ...[...distinct.difference(wanted)].map(id => `event ${id} must not have an effect`),
    ...(found.length === distinct.size ? [] : [`${found.length - distinct.size} effects happened twice`]),
  ];
}

/** Contract 3: the effects of a key happened in log order. */
function checkOrder({ database }: World): string[] {
  const newest = new Map<string, bigint>();
  const violations: string[] = [];
  for (const { key, offset, id } of database.effects) {
    if (offset <= (newest.get(key) ?? -1n)) violations.push(`event ${id} of ${key} took effect out of order`);
    newest.set(key, offset);
  }
  return violations;
}

/** Contract 4, 5 and 1: exactly the events that can never succeed are dead-lettered, whatever the outages. */
function checkDeadLetters({ cluster, deadLetters }: World): string[] {
  const key = (record: { partition: number; offset: bigint }) => `${record.partition}/${record.offset}`;
  const found = new Set(deadLetters.map(letter => key(letter.record)));
  const wanted = new Set<string>();
  for (const record of cluster.logs.flat()) {
    if (expectedFate(kindOf(record.value)) === 'dead letter') wanted.add(key(record));
  }
  return [
    ...[...wanted.difference(found)].map(place => `${place} should have been dead-lettered`),
    ...[...found.difference(wanted)].map(place => `${place} was dead-lettered without a reason`),
  ];
}

/** Contract 9: the stored counts are what the log and the effects say. */
function checkLedger({ cluster, database }: World): string[] {
  return cluster.logs.flatMap((log, partition) => {
    const counts = database.positions.get(partition)?.counts;
    if (!counts) return log.length === 0 ? [] : [`partition ${partition} has no ledger`];
    const fates = log.map(record => expectedFate(kindOf(record.value)));
    const effects = database.effects.filter(effect => effect.partition === partition).length;
    const wanted = {
      read: log.length,
      delivered: effects,
      duplicate: fates.filter(fate => fate === 'effect').length - effects,
      filtered: fates.filter(fate => fate === 'filtered').length,
      deadLettered: fates.filter(fate => fate === 'dead letter').length,
    };
    const same = JSON.stringify(wanted) === JSON.stringify({ ...wanted, ...counts });
    return same ? [] : [`ledger of ${partition}: ${JSON.stringify(counts)}, not ${JSON.stringify(wanted)}`];
  });
}

function kindOf(value: Buffer | null): SimEvent['kind'] {
  const text = value?.toString() ?? '';
  return text.startsWith('garbage') ? 'garbage' : (JSON.parse(text) as SimEvent).kind;
}
