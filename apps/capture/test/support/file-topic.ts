import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { decode, type RowChange } from '@tidemark/canal-json';
import type { ChangeSink } from '../../src/stream/sink.ts';

/** A message as the file keeps it. */
export interface KeptMessage {
  readonly changeId: string;
  readonly partition: number;
  readonly text: string;
  readonly row: RowChange;
}

/** A sink that appends to a file: what it acknowledged survives the death of the process, as with a broker. */
export function fileSink(path: string): ChangeSink {
  return {
    partitions: 3,
    open: async () => cutTornLine(path),
    async send(messages) {
      const changes = messages.filter(({ changeId }) => changeId !== undefined);
      const lines = changes.map(
        ({ changeId, partition, value }) =>
          `${JSON.stringify({ changeId, partition, text: value.toString() })}\n`,
      );
      appendFileSync(path, lines.join(''));
    },
    close: async () => {},
  };
}

/** A kill in the middle of a write leaves half a line, which was never acknowledged; a broker cuts such a tail as well. */
function cutTornLine(path: string): void {
  if (!existsSync(path)) return;
  const bytes = readFileSync(path);
  truncateSync(path, bytes.lastIndexOf(0x0a) + 1);
}

export function readKept(path: string): readonly KeptMessage[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line !== '');
  return lines.map(line => {
    const kept = JSON.parse(line) as Omit<KeptMessage, 'row'>;
    const row = decode(Buffer.from(kept.text));
    if (row.kind !== 'row') throw new Error(`not a row: ${row.kind}`);
    return { ...kept, row };
  });
}
