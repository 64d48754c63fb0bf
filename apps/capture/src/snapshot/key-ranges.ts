import type { KeyRange } from './table-copy.ts';

/** Bytes of a table for each range; below that, copying side by side gains nothing. */
const rangeBytes = 1024 * 1024;
/** More ranges than are copied at a time, so that an uneven one does not hold up the end. */
const rangesMax = 16;

/** Pages that are looked at to find out how the keys lie. */
export const samplePages = 200;

/** Into how many ranges a table of a size is cut. */
export function rangeCount(bytes: number): number {
  return Math.max(1, Math.min(rangesMax, Math.floor(bytes / rangeBytes)));
}

/** Cuts a table at keys of a sorted sample, so that about as many rows lie in each range. */
export function cutAt(sample: readonly (readonly string[])[], count: number): readonly KeyRange[] {
  const cuts: (readonly string[])[] = [];
  for (let at = 1; at < count; at += 1) {
    const key = sample[Math.floor((at * sample.length) / count)];
    if (key !== undefined && key !== cuts.at(-1)) cuts.push(key);
  }
  return [null, ...cuts].map((after, at) => ({ after, until: cuts[at] ?? null, isDone: false }));
}
