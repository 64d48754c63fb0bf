import process from 'node:process';
import {
  createMessageSender,
  DeadLetterDesk,
  rebuildDeadLetters,
  replayDefaults,
} from '@tidemark/connectors';
import { exitCodes, systemClock } from '@tidemark/kernel';
import { toJson } from '../columns.ts';
import type { CommandContext, CommandInput } from '../command.ts';
import { type Places, placesOf, withPool } from '../stack/connections.ts';
import { actorOf, chosen, filterOf, idOf, optionsOf, positive } from './options.ts';
import { editedPayload } from './payload.ts';
import { count, printDetail, printList, printReplay } from './print.ts';

const listDefault = 50;
const listMax = 10_000;

interface Bench {
  readonly input: CommandInput;
  readonly context: CommandContext;
  readonly desk: DeadLetterDesk;
}

const actions: Readonly<Record<string, (bench: Bench) => Promise<number>>> = {
  list,
  show,
  edit,
  replay,
  discard,
};

/** Does what `tidemark dlq ACTION` names. */
export async function runDlq(input: CommandInput, context: CommandContext): Promise<number> {
  const action = input.positionals[0] ?? '';
  const allowed = Object.hasOwn(optionsOf, action) ? optionsOf[action] : undefined;
  if (allowed === undefined) {
    throw input.refuse(`there is no dlq ${action}; choose from ${Object.keys(optionsOf).join(', ')}`);
  }
  const foreign = input.given.find(option => !allowed.includes(option));
  if (foreign !== undefined) throw input.refuse(`--${foreign} does not go with dlq ${action}`);
  check(action, input);
  const places = await placesOf(input, context);
  if (action === 'rebuild') return rebuild(places, input, context);
  const sender = createMessageSender(places.kafka);
  try {
    return await withPool(places, async pool => {
      const desk = new DeadLetterDesk(pool, sender, systemClock);
      return (actions[action] ?? list)({ input, context, desk });
    });
  } finally {
    await sender.close();
  }
}

/** What is wrong with the call is said before anything is connected to. */
function check(action: string, input: CommandInput): void {
  const nowMs = systemClock.now();
  if (action === 'show' || action === 'edit') idOf(input);
  if (action === 'list') filterOf(input, nowMs);
  if (action === 'replay' || action === 'discard') chosen(input, nowMs);
  if (action === 'rebuild' && input.positionals.length > 1) throw input.refuse('rebuild takes no ids');
  input.integer('limit', listDefault, listMax);
  positive(input, 'rate', replayDefaults.eventsPerSec);
}

async function list({ input, context, desk }: Bench): Promise<number> {
  const limit = input.integer('limit', listDefault, listMax);
  const letters = await desk.list(filterOf(input, systemClock.now()), limit);
  if (input.flag('json')) context.terminal.print(toJson(letters));
  else printList(context.terminal, letters, limit);
  return exitCodes.ok;
}

async function show({ input, context, desk }: Bench): Promise<number> {
  const letter = await desk.show(idOf(input));
  if (input.flag('json')) context.terminal.print(toJson(letter));
  else printDetail(context.terminal, letter);
  return exitCodes.ok;
}

async function edit({ input, context, desk }: Bench): Promise<number> {
  const id = idOf(input);
  const { payload } = await desk.show(id);
  await desk.edit(id, await editedPayload(input, payload, process.stdin), actorOf(input));
  const letter = await desk.show(id);
  if (input.flag('json')) context.terminal.print(toJson(letter));
  else {
    context.terminal.print('  edited; a replay sends the new payload, the original stays');
    if (letter.wouldBeRefused !== null) {
      context.terminal.warn(`  a replay would be refused again: ${letter.wouldBeRefused}`);
    }
  }
  return exitCodes.ok;
}

async function replay({ input, context, desk }: Bench): Promise<number> {
  const { terminal, interrupted } = context;
  const dryRun = input.flag('dry-run');
  const replaysMax = input.integer('replays-max', replayDefaults.replaysMax, 1000);
  const result = await desk.replay(chosen(input, systemClock.now()), actorOf(input), {
    dryRun,
    replaysMax,
    eventsPerSec: positive(input, 'rate', replayDefaults.eventsPerSec),
    signal: interrupted,
    onSent: (sent, of) => terminal.progress(`  ${sent} of ${of} sent back …`),
  });
  if (input.flag('json')) terminal.print(toJson({ dryRun, ...result }));
  else printReplay(terminal, result, dryRun, replaysMax);
  return exitCodes.ok;
}

async function discard({ input, context, desk }: Bench): Promise<number> {
  const dryRun = input.flag('dry-run');
  const ids = await desk.discard(chosen(input, systemClock.now()), actorOf(input), { dryRun });
  if (input.flag('json')) context.terminal.print(toJson({ dryRun, discarded: ids }));
  else context.terminal.print(`  ${dryRun ? 'would be discarded' : 'discarded'}: ${count(ids.length)}`);
  return exitCodes.ok;
}

async function rebuild(places: Places, input: CommandInput, { terminal }: CommandContext): Promise<number> {
  const result = await withPool(places, pool => rebuildDeadLetters(places.kafka, pool));
  if (input.flag('json')) terminal.print(toJson(result));
  else terminal.print(`  ${count(result.read)} in the topic, ${result.restored} were missing in the table`);
  return exitCodes.ok;
}
