import { errorCodes, ProtocolError } from '../wire/error-codes.ts';

/**
 * PRODUCER_FENCED came with KIP-588. Clients that speak older versions of an API do not know it and are told
 * INVALID_PRODUCER_EPOCH, which means the same to them.
 */
export async function fencedFor<T>(understandsFenced: boolean, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isFenced = error instanceof ProtocolError && error.errorCode === errorCodes.producerFenced;
    if (isFenced && !understandsFenced) throw new ProtocolError('invalidProducerEpoch');
    throw error;
  }
}
