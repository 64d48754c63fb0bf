import { readFile } from 'node:fs/promises';
import { ports } from '@tidemark/contracts';
import { describeError, exitCodes, TidemarkError } from '@tidemark/kernel';
import { printExact } from '../changefeed/exact-json.ts';
import { printFeed, printFeeds, printStatus } from '../changefeed/feed-text.ts';
import { type FeedRequest, OpenApiClient } from '../changefeed/openapi-client.ts';
import { type Command, type CommandInput, dataOption } from '../command.ts';
import { loopback } from '../stack/addresses.ts';
import type { Terminal } from '../terminal.ts';
import { viewStack } from './stack-command.ts';

/** A client of TiCDC's OpenAPI v2: works with capture and with TiCDC. */
export const changefeed: Command = {
  name: 'changefeed',
  positionals: ['ACTION', '[ID]'],
  summary: 'list, get, create, update, pause, resume, remove or status of changefeeds, here or in TiCDC',
  options: {
    server: { type: 'string', value: 'URL', doc: 'capture or TiCDC (default: that of the stack)' },
    json: { type: 'boolean', doc: 'print the answer as JSON, numbers exact' },
    state: { type: 'string', value: 'STATE', doc: 'list: only in this state, or all' },
    'sink-uri': {
      type: 'string',
      value: 'URI',
      doc: 'create, update: kafka://host:9092/topic?protocol=canal-json',
    },
    'source-uri': {
      type: 'string',
      value: 'URL',
      doc: 'create, update: postgres://… to capture (not in TiCDC)',
    },
    rules: { type: 'string', value: 'a,b', doc: 'create, update: filter rules, such as shop.*,!shop.logs' },
    config: { type: 'string', value: 'FILE', doc: 'create, update: replica_config as JSON' },
    force: { type: 'boolean', doc: 'remove: also when the source does not answer (not in TiCDC)' },
    data: dataOption,
  },
  async run(input, { terminal }) {
    const [name = '', id] = input.positionals;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      throw usage(`there is no action ${name}`, `Choose among ${Object.keys(actions).join(', ')}.`);
    }
    return action({ input, terminal, id, client: new OpenApiClient(await serverOf(input)) });
  },
};

interface Call {
  readonly input: CommandInput;
  readonly terminal: Terminal;
  readonly client: OpenApiClient;
  readonly id: string | undefined;
}

const actions: Readonly<Record<string, (call: Call) => Promise<number>>> = {
  async list({ input, terminal, client }) {
    const answer = await client.list(input.text('state'));
    return show(input, terminal, answer, () => printFeeds(terminal, answer.items));
  },
  async get(call) {
    const answer = await call.client.get(idOf(call));
    return show(call.input, call.terminal, answer, () => printFeed(call.terminal, answer));
  },
  async create({ input, terminal, client, id }) {
    if (input.text('sink-uri') === undefined) throw usage('--sink-uri is missing', 'Name where changes go.');
    const config = withRules(await configOf(input), input);
    const named = id === undefined ? {} : { changefeed_id: id };
    const answer = await client.create({ ...named, ...uris(input), ...config });
    return show(input, terminal, answer, () => printFeed(terminal, answer));
  },
  async update(call) {
    const { input, terminal, client } = call;
    const id = idOf(call);
    // A configuration replaces the whole, so rules alone are put into the one that is there.
    const given = await configOf(input);
    const needsKnown = given === undefined && input.text('rules') !== undefined;
    const config = withRules(needsKnown ? (await client.get(id)).config : given, input);
    const answer = await client.update(id, { ...uris(input), ...config });
    return show(input, terminal, answer, () => printFeed(terminal, answer));
  },
  async pause(call) {
    await call.client.pause(idOf(call));
    return show(call.input, call.terminal, {}, () => call.terminal.print(`  ${idOf(call)} is stopped`));
  },
  async resume(call) {
    await call.client.resume(idOf(call));
    return show(call.input, call.terminal, {}, () => call.terminal.print(`  ${idOf(call)} goes on`));
  },
  async remove(call) {
    await call.client.remove(idOf(call), call.input.flag('force'));
    return show(call.input, call.terminal, {}, () => call.terminal.print(`  ${idOf(call)} is removed`));
  },
  async status(call) {
    const answer = await call.client.status(idOf(call));
    show(call.input, call.terminal, answer, () => printStatus(call.terminal, idOf(call), answer));
    return answer.state === 'normal' || answer.state === 'finished' ? exitCodes.ok : exitCodes.failed;
  },
};

function show(input: CommandInput, terminal: Terminal, answer: unknown, print: () => void): number {
  if (input.flag('json')) terminal.print(printExact(answer));
  else print();
  return exitCodes.ok;
}

function idOf({ id }: Call): string {
  if (id === undefined)
    throw usage('ID is missing', 'Name the changefeed; `tidemark changefeed list` shows them.');
  return id;
}

function uris(input: CommandInput): Pick<FeedRequest, 'sink_uri' | 'source_uri'> {
  const [sink, source] = [input.text('sink-uri'), input.text('source-uri')];
  return {
    ...(sink === undefined ? {} : { sink_uri: sink }),
    ...(source === undefined ? {} : { source_uri: source }),
  };
}

type Config = Readonly<Record<string, unknown>>;

async function configOf(input: CommandInput): Promise<Config | undefined> {
  const file = input.text('config');
  if (file === undefined) return undefined;
  try {
    const config: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config as Config;
    throw new Error('it is no object');
  } catch (error) {
    throw usage(
      `--config ${file} cannot be read: ${describeError(error)}`,
      'Write a replica_config as a JSON object.',
    );
  }
}

function withRules(config: Config | undefined, input: CommandInput): Pick<FeedRequest, 'replica_config'> {
  const rules = input
    .text('rules')
    ?.split(',')
    .map(rule => rule.trim());
  if (rules === undefined) return config === undefined ? {} : { replica_config: config };
  const filter = config?.['filter'];
  const others = typeof filter === 'object' && filter !== null ? filter : {};
  return { replica_config: { ...config, filter: { ...others, rules } } };
}

/** The server that is named, or that of the stack in the data folder. */
async function serverOf(input: CommandInput): Promise<string> {
  const named = input.text('server');
  if (named === undefined) {
    const { state } = await viewStack(input);
    return `http://${loopback}:${ports.capture + (state?.portOffset ?? 0)}`;
  }
  const url = URL.canParse(named) ? new URL(named) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return named;
  throw usage(`--server takes a URL, not "${named}"`, 'Example: --server http://127.0.0.1:8300');
}

function usage(problem: string, hint: string): TidemarkError {
  return new TidemarkError('USAGE', problem, { hint });
}
