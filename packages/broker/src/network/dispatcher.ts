import { type Api, CloseConnection, type Peer, type RequestContext } from '../api/api.ts';
import { API_VERSIONS_KEY, apisByKey } from '../api/index.ts';
import type { BrokerCore } from '../broker-core.ts';
import type { FaultInjector } from '../faults/fault-injector.ts';
import type { LentMemory } from '../storage/lent-memory.ts';
import { errorCodes, errorName } from '../wire/error-codes.ts';
import { WireError } from '../wire/wire-error.ts';
import { WireReader } from '../wire/wire-reader.ts';
import { WireWriter } from '../wire/wire-writer.ts';
import { type RequestHeader, readClientId, readRequestHeader } from './request-header.ts';

/** A decoded request on its way through the broker. */
interface Call {
  readonly api: Api;
  readonly header: RequestHeader;
  readonly request: unknown;
  readonly context: RequestContext;
}

/** What answers a request, ready to be sent. */
export interface AnswerFrame {
  readonly buffers: readonly Buffer[];
  /** To be called when the network has taken all of it: nobody looks at the memory any more. */
  readonly sent?: (() => void) | undefined;
}

/** Turns one frame into the frame that answers it. */
export class Dispatcher {
  readonly #broker: BrokerCore;
  readonly #faults: FaultInjector;
  readonly #memory: LentMemory;

  constructor(broker: BrokerCore, faults: FaultInjector, memory: LentMemory) {
    this.#broker = broker;
    this.#faults = faults;
    this.#memory = memory;
  }

  /** The answer, or null when the request gets none. Rejects when the connection must be closed. */
  async dispatch(frame: Buffer, peer: Peer): Promise<AnswerFrame | null> {
    const reader = new WireReader(frame);
    const header = readRequestHeader(reader);
    const api = apisByKey.get(header.apiKey);
    const isServed = api && header.apiVersion >= api.servedSince && header.apiVersion <= api.versions[1];
    if (!isServed) return { buffers: this.#refuseVersion(header) };
    const clientId = readClientId(reader, header.apiVersion >= api.flexibleSince);
    const request = api.decode(reader, header.apiVersion);
    let sent: (() => void) | undefined;
    const context = {
      broker: this.#broker,
      version: header.apiVersion,
      clientId,
      peer,
      whenSent(callback: () => void) {
        sent = callback;
      },
    };
    try {
      const buffers = await this.#serve({ api, header, request, context });
      return buffers && { buffers, sent };
    } finally {
      if (api.leavesFrame) this.#memory.release(frame);
    }
  }

  async #serve(call: Call): Promise<Buffer[] | null> {
    const { settings } = this.#broker;
    const startedMs = settings.clock.monotonic();
    let outcome: string = 'closed';
    try {
      const response = await this.#respond(call);
      outcome = errorOf(response);
      return response === null ? null : encode(call, response);
    } finally {
      settings.metrics.requestDone(call.api.name, outcome, settings.clock.monotonic() - startedMs);
    }
  }

  async #respond({ api, request, context }: Call): Promise<unknown> {
    const fault = this.#faults.isIdle ? undefined : await this.#faults.meet(api, context);
    if (fault?.kind === 'close') throw new CloseConnection('a fault was injected');
    if (fault?.kind === 'drop') return null;
    if (fault?.kind === 'error') return api.refuse(request, fault.errorCode);
    if (!api.beforeAuthentication && !context.peer.isAuthenticated()) {
      throw new CloseConnection(`${api.name} before authentication`);
    }
    try {
      return await api.handle(request, context);
    } catch (error) {
      if (error instanceof CloseConnection || error instanceof WireError) throw error;
      return api.refuse(request, this.#codeFor(error, api));
    }
  }

  #codeFor(error: unknown, api: Api): number {
    const errorCode = this.#broker.codeOf(error);
    return errorCode === errorCodes.kafkaStorageError ? api.storageErrorCode : errorCode;
  }

  /**
   * A version that is not served closes the connection, except for ApiVersions: its answer in version 0 tells the
   * client which one to ask for (KIP-511).
   */
  #refuseVersion(header: RequestHeader): Buffer[] {
    const apiVersions = apisByKey.get(API_VERSIONS_KEY);
    if (header.apiKey !== API_VERSIONS_KEY || !apiVersions) {
      throw new WireError(`unsupported request: API key ${header.apiKey} version ${header.apiVersion}`);
    }
    const response = { errorCode: errorCodes.unsupportedVersion, apiKeys: this.#broker.apis };
    return encodeFrame(apiVersions, 0, header.correlationId, response);
  }
}

/** The error of the whole response, or the first of its partitions': a produce has no other place for one. */
function errorOf(response: unknown): string {
  if (typeof response !== 'object' || response === null) return 'none';
  if ('errorCode' in response) return errorName(Number(response.errorCode));
  if (!('responses' in response)) return 'none';
  for (const topic of response.responses as readonly Partial<ProducedTopic>[]) {
    const failed = topic.partitionResponses?.find(({ errorCode }) => errorCode !== 0);
    if (failed) return errorName(failed.errorCode);
  }
  return 'none';
}

interface ProducedTopic {
  readonly partitionResponses: readonly { readonly errorCode: number }[];
}

function encode({ api, header }: Call, response: unknown): Buffer[] {
  return encodeFrame(api, header.apiVersion, header.correlationId, response);
}

/** Response header v0 is the correlation id; v1 adds tags. ApiVersions always answers with v0 (KIP-511). */
function encodeFrame(api: Api, version: number, correlationId: number, response: unknown): Buffer[] {
  const writer = new WireWriter();
  writer.int32(0);
  writer.int32(correlationId);
  if (version >= api.flexibleSince && api.key !== API_VERSIONS_KEY) writer.unsignedVarint(0);
  api.encode(writer, version, response);
  const length = writer.length - 4;
  const buffers = writer.finish();
  buffers[0]?.writeInt32BE(length, 0);
  return buffers;
}
