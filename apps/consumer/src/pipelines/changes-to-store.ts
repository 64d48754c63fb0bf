import { addressedTo, changeStoreSink, decodeChange } from '@tidemark/connectors';
import { pipelines } from '@tidemark/contracts/names';
import type { HostedPipeline, PipelineHost } from '../host.ts';
import { countChanges } from './count-changes.ts';

/** Every change once into the searchable store. */
export function changesToStore(host: PipelineHost): HostedPipeline {
  const name = pipelines.changesToStore;
  return host.host({
    name,
    group: host.config.CDC_GROUP_ID,
    topic: host.config.CDC_TOPIC,
    sinkName: 'change store',
    inDatabase: true,
    decode: addressedTo(name, decodeChange),
    sink: changeStoreSink(name, host.pool),
    observer: countChanges(name, host),
  });
}
