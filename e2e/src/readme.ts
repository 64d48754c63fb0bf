import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ports } from '@tidemark/contracts';
import { repository } from './stack.ts';

/** The blocks of commands that the README shows, in order. */
export function readmeBlocks(): readonly string[] {
  return documentBlocks('README.md');
}

/** The blocks of commands that a page of the documentation shows, in order. */
export function documentBlocks(page: string): readonly string[] {
  const text = readFileSync(join(repository, page), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(match => match[1] ?? '');
}

/** The same commands for a stack whose ports were moved, so that the test does not need the default ports. */
export function movedBy(portOffset: number, commands: string): string {
  const known = new Set<number>(Object.values(ports));
  return commands.replaceAll(/(localhost|127\.0\.0\.1):(\d+)/g, (whole, host: string, port: string) =>
    known.has(Number(port)) ? `${host}:${Number(port) + portOffset}` : whole,
  );
}
