import type { Command, OptionSpec } from '../command.ts';
import { dataOption } from '../command.ts';

const filters: Readonly<Record<string, OptionSpec>> = {
  pipeline: { type: 'string', value: 'NAME', doc: 'letters of this pipeline' },
  reason: {
    type: 'string',
    value: 'NAME',
    doc: 'undecodable, invalid, business_rule, refused_by_sink, retries_exhausted, parked',
  },
  class: { type: 'string', value: 'NAME', doc: 'class of the error: a SQLSTATE, an HTTP status, a name' },
  key: { type: 'string', value: 'KEY', doc: 'letters of this key' },
  from: {
    type: 'string',
    value: 'TIME',
    doc: 'failed at this time or later: 2026-11-21T10:00Z, or 15m, 2h, 3d ago',
  },
  to: { type: 'string', value: 'TIME', doc: 'failed before this time' },
  status: { type: 'string', value: 'STATUS', doc: 'open, replayed or discarded' },
};

/** Looks at dead letters and deals with them. */
export const dlq: Command = {
  name: 'dlq',
  positionals: ['list|show|edit|replay|discard|rebuild', '[ID…]'],
  summary: 'look at dead letters, correct, replay or discard them',
  options: {
    ...filters,
    all: { type: 'boolean', doc: 'replay, discard: every open letter' },
    limit: { type: 'string', value: 'N', doc: 'list: letters at most (default 50)' },
    set: { type: 'string', value: 'FIELD=JSON', doc: 'edit: one field, as in payload.rating=5' },
    payload: { type: 'string', value: 'TEXT', doc: 'edit: the whole payload' },
    file: { type: 'string', value: 'FILE', doc: 'edit: the whole payload from a file, - for standard input' },
    'dry-run': { type: 'boolean', doc: 'replay, discard: say what would be done' },
    rate: { type: 'string', value: 'N', doc: 'replay: events a second (default 100)' },
    'replays-max': {
      type: 'string',
      value: 'N',
      doc: 'replay: leave alone what was sent back so often (default 3)',
    },
    who: { type: 'string', value: 'NAME', doc: 'who acts (default: the user of this machine)' },
    why: { type: 'string', value: 'TEXT', doc: 'why; stands in the log of actions' },
    json: { type: 'boolean', doc: 'print JSON' },
    data: dataOption,
  },
  run: async (input, context) => (await import('../dlq/run-dlq.ts')).runDlq(input, context),
};
