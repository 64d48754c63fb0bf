import { replayHeaders } from '@tidemark/contracts/names';
import { type Decoder, headerText } from '@tidemark/pipeline';

/**
 * A replay is meant for the pipeline that had refused the event. The others that read the topic have had it, long
 * before newer events of its key, so they filter it on purpose.
 */
export function addressedTo<E>(pipeline: string, decode: Decoder<E>): Decoder<E> {
  return record => {
    const addressee = record.headers.length === 0 ? undefined : headerText(record, replayHeaders.pipeline);
    return addressee === undefined || addressee === pipeline ? decode(record) : { fate: 'filtered' };
  };
}
