import type { Writable } from 'node:stream';
import { addressedTo, decodeChange, logSink } from '@tidemark/connectors';
import { pipelines } from '@tidemark/contracts/names';
import type { HostedPipeline, PipelineHost } from '../host.ts';
import { countChanges } from './count-changes.ts';

/** One line on stdout for every change. Its positions are the group's, so a crash may repeat lines. */
export function changesToLog(host: PipelineHost, output: Writable, counting: boolean): HostedPipeline {
  const name = pipelines.changesToLog;
  return host.host({
    name,
    group: `${host.config.CDC_GROUP_ID}-log`,
    topic: host.config.CDC_TOPIC,
    sinkName: 'log',
    inDatabase: false,
    decode: addressedTo(name, decodeChange),
    sink: logSink(output, host.clock),
    ...(counting ? { observer: countChanges(name, host) } : {}),
  });
}
