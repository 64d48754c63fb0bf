import type { DeliverableItem } from '@tidemark/pipeline';

/**
 * Splits items that carry the id of an earlier one of the same batch from the rest. One statement cannot insert a row
 * twice, and cannot see the first of two that it inserts itself.
 */
export function splitRepeats<E>(
  items: readonly DeliverableItem<E>[],
  idOf: (item: DeliverableItem<E>) => string,
): { readonly unique: DeliverableItem<E>[]; readonly repeats: Set<bigint> } {
  const seen = new Set<string>();
  const unique: DeliverableItem<E>[] = [];
  const repeats = new Set<bigint>();
  for (const item of items) {
    const id = idOf(item);
    if (seen.has(id)) repeats.add(item.record.offset);
    else unique.push(item);
    seen.add(id);
  }
  return { unique, repeats };
}
