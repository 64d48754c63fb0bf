import { deadLetterSink, decodeDeadLetter } from '@tidemark/connectors';
import { groups, pipelines, topics } from '@tidemark/contracts/names';
import type { HostedPipeline, PipelineHost } from '../host.ts';

/** The browsable copy of the dead letters. The topic is the truth; this table can be built from it again. */
export function deadLettersToPostgres(host: PipelineHost): HostedPipeline {
  const name = pipelines.deadLettersToPostgres;
  return host.host({
    name,
    group: groups.deadLetters,
    topic: topics.deadLetters,
    sinkName: 'dead letters',
    inDatabase: true,
    decode: decodeDeadLetter,
    sink: deadLetterSink(name, host.pool),
  });
}
