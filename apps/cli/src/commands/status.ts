import { exitCodes } from '@tidemark/kernel';
import { type Command, dataOption } from '../command.ts';
import { addressesOf } from '../stack/addresses.ts';
import { probeDatabase } from '../stack/database.ts';
import { probeReady } from '../stack/services.ts';
import { isRunning } from '../supervisor/process-identity.ts';
import { memoryOf } from '../supervisor/process-memory.ts';
import type { RunState, ServiceRecord } from '../supervisor/run-state.ts';
import type { Terminal } from '../terminal.ts';
import { viewStack } from './stack-command.ts';

/** A service as it is now, not as it was when the supervisor last wrote about it. */
interface ServiceStatus extends Omit<ServiceRecord, 'process'> {
  readonly pid: number | null;
  /** What the service says when it is asked: 'ready', or what is missing. */
  readonly answer: string;
  /** Proportional share of memory where the system tells it (Linux), else resident memory. */
  readonly memoryBytes: number | null;
}

/** Shows how the services are; exit code 0 only when all are ready. */
export const status: Command = {
  name: 'status',
  summary: 'show how the services are; exit code 0 when all are ready',
  options: { json: { type: 'boolean', doc: 'print JSON' }, data: dataOption },
  async run(input, { terminal, env }) {
    const { folder, state, supervisor } = await viewStack(input);
    const running = supervisor !== undefined;
    const services = state ? await Promise.all(state.services.map(service => look(service, state, env))) : [];
    const ready = running && services.length > 0 && services.every(({ answer }) => answer === 'ready');
    if (input.flag('json')) {
      const report = {
        ready,
        data: folder.root,
        supervisor: { running, pid: supervisor?.pid ?? null },
        startedAt: state?.startedAt ?? null,
        services,
      };
      terminal.print(JSON.stringify(report, null, 2));
    } else {
      printTable(terminal, services, running, folder.root);
    }
    return ready ? exitCodes.ok : exitCodes.failed;
  },
};

async function look(record: ServiceRecord, state: RunState, env: RunEnv): Promise<ServiceStatus> {
  const { process, ...rest } = record;
  const alive = process !== null && (await isRunning(process));
  return {
    ...rest,
    pid: alive ? process.pid : null,
    answer: alive ? await askService(record.name, state, env) : (record.trouble ?? 'not running'),
    memoryBytes: alive ? await memoryOf(process.pid) : null,
  };
}

type RunEnv = Readonly<Record<string, string | undefined>>;

async function askService(name: string, state: RunState, env: RunEnv): Promise<string> {
  const at = addressesOf(state.portOffset, env);
  try {
    if (name === 'postgres') await probeDatabase(at.databaseUrl);
    else
      await probeReady(at.http(name === 'broker' ? 'brokerOps' : (name as 'api')), AbortSignal.timeout(3000));
    return 'ready';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function printTable(
  terminal: Terminal,
  services: readonly ServiceStatus[],
  running: boolean,
  root: string,
): void {
  const { style } = terminal;
  if (services.length === 0)
    return terminal.print(`  nothing has run on ${root} yet; start it with tidemark up`);
  if (!running) terminal.print(style.yellow(`  the supervisor is not running on ${root}`));
  terminal.print(
    style.dim(
      `  ${'service'.padEnd(10)} ${'state'.padEnd(11)} ${'pid'.padStart(7)} ${'memory'.padStart(8)} restarts  address`,
    ),
  );
  for (const service of services) {
    const state =
      service.answer === 'ready'
        ? style.green('ready'.padEnd(11))
        : style.yellow(shownState(service).padEnd(11));
    const memory = service.memoryBytes === null ? '–' : `${Math.round(service.memoryBytes / 1_048_576)} MB`;
    const pid = String(service.pid ?? '–');
    terminal.print(
      `  ${service.name.padEnd(10)} ${state} ${pid.padStart(7)} ${memory.padStart(8)} ${String(service.restarts).padStart(8)}  ${service.address}`,
    );
    if (service.answer !== 'ready') terminal.print(style.dim(`             ${service.answer}`));
  }
  const total = services.reduce((sum, { memoryBytes }) => sum + (memoryBytes ?? 0), 0);
  terminal.print(
    style.dim(`  ${'together'.padEnd(30)} ${`${Math.round(total / 1_048_576)} MB`.padStart(8)}`),
  );
}

function shownState(service: ServiceStatus): string {
  if (service.pid === null) return service.state === 'ready' ? 'gone' : service.state;
  return service.state === 'ready' ? 'not ready' : service.state;
}
