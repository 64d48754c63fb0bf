import { type AuditReport, auditedPipelines, auditPipeline, type PartitionAudit } from '@tidemark/connectors';
import { exitCodes } from '@tidemark/kernel';
import { inColumns, toJson } from '../columns.ts';
import { type Command, dataOption } from '../command.ts';
import { placesOf, withPool } from '../stack/connections.ts';
import type { Terminal } from '../terminal.ts';

/** Recounts the log against the sinks. */
export const audit: Command = {
  name: 'audit',
  summary: 'recount the log against the sinks; exit code 0 when the books balance',
  options: {
    pipeline: { type: 'string', value: 'NAME', doc: 'only this pipeline' },
    json: { type: 'boolean', doc: 'print JSON' },
    data: dataOption,
  },
  async run(input, context) {
    const wanted = input.text('pipeline');
    if (wanted !== undefined && !auditedPipelines.includes(wanted)) {
      throw input.refuse(`--pipeline takes one of ${auditedPipelines.join(', ')}, not "${wanted}"`);
    }
    const { terminal } = context;
    const places = await placesOf(input, context);
    const reports = await withPool(places, async pool => {
      const done: AuditReport[] = [];
      for (const pipeline of wanted === undefined ? auditedPipelines : [wanted]) {
        terminal.progress(`  recounting ${pipeline} …`);
        done.push(await auditPipeline(pipeline, places.kafka, pool));
      }
      return done;
    });
    const balanced = reports.every(report => report.balanced);
    if (input.flag('json')) terminal.print(toJson({ balanced, pipelines: reports }));
    else printReports(terminal, reports, balanced);
    return balanced ? exitCodes.ok : exitCodes.failed;
  },
};

const head = [
  'pipeline',
  'partition',
  'from',
  'to',
  'read',
  'delivered',
  'duplicate',
  'filtered',
  'dead letters',
  'gone',
  'books',
];
const numbers = new Set([2, 3, 4, 5, 6, 7, 8, 9]);

function printReports(terminal: Terminal, reports: readonly AuditReport[], balanced: boolean): void {
  const { style } = terminal;
  const rows = reports.flatMap(({ pipeline, partitions }) => partitions.map(found => rowOf(pipeline, found)));
  const [first = '', ...rest] = inColumns([head, ...rows], numbers);
  terminal.print(`  ${style.dim(first)}`);
  for (const line of rest) terminal.print(`  ${line}`);
  for (const report of reports) {
    if (report.partitions.length === 0) terminal.print(style.dim(`  ${report.pipeline} has no books yet`));
    for (const partition of report.partitions) printFaults(terminal, report.pipeline, partition);
  }
  terminal.print();
  terminal.print(
    balanced
      ? style.green('  The books balance.')
      : style.red('  The books do not balance; see above what is in doubt.'),
  );
}

function rowOf(pipeline: string, found: PartitionAudit): string[] {
  const { ledger, recounted } = found;
  return [
    pipeline,
    `${found.topic}/${found.partition}`,
    ...[found.from, found.position, ledger.read, ledger.delivered, ledger.duplicate, ledger.filtered].map(
      String,
    ),
    ...[ledger.deadLettered, recounted.gone].map(String),
    found.balanced ? 'balanced' : 'IN DOUBT',
  ];
}

function printFaults(terminal: Terminal, pipeline: string, found: PartitionAudit): void {
  if (found.balanced) return;
  const place = `${pipeline} ${found.topic}/${found.partition}`;
  for (const { offset, why } of found.doubts) terminal.print(`  ${place} offset ${offset}: ${why}`);
  const more = found.doubtful - found.doubts.length;
  if (more > 0) terminal.print(`  ${place}: ${more} more like these`);
  if (found.doubtful > 0) return;
  const { seen, delivered, filtered, deadLettered } = found.recounted;
  terminal.print(
    `  ${place}: log and sink say ${seen} read, ${delivered} delivered or duplicate, ${filtered} filtered, ${deadLettered} dead letters`,
  );
}
