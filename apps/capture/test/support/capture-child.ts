/** A capture process to be killed: `node capture-child.ts <database url> <file> [changefeed]`. Says `streaming` once it is. */
import process from 'node:process';
import { openChangefeeds, streams } from './capture-bench.ts';
import { fileSink } from './file-topic.ts';

const [url = '', file = '', id = 'killed'] = process.argv.slice(2);
const { changefeeds } = openChangefeeds(url, () => fileSink(file), { checkpointIntervalMs: 30 });
await streams(changefeeds, id);
process.stdout.write('streaming\n');
