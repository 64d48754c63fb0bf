import type { BrokerCore } from '../broker-core.ts';
import type { SaslSession } from '../security/sasl-session.ts';
import { errorCodes } from '../wire/error-codes.ts';
import type { Codec, Decoded, Encodable, Fields } from '../wire/field.ts';
import { structCodec } from '../wire/struct-codec.ts';
import type { WireReader } from '../wire/wire-reader.ts';
import type { WireWriter } from '../wire/wire-writer.ts';

/** What a handler may know of the connection a request came from. */
export interface Peer {
  readonly address: string;
  /** Aborted when the connection closes: whoever waits for something on its behalf stops waiting. */
  readonly closed: AbortSignal;
  /** False while the broker wants a name and the peer has not proved one. */
  isAuthenticated(): boolean;
  /** The exchange by which the peer proves who it is. */
  readonly sasl: SaslSession;
}

/** Everything a handler gets beside the request itself. */
export interface RequestContext {
  readonly broker: BrokerCore;
  readonly version: number;
  readonly clientId: string | null;
  readonly peer: Peer;
  /** Has the callback called once the answer was handed to the network; never, when the connection ends before. */
  whenSent(callback: () => void): void;
}

/** Thrown by a handler that can answer only by hanging up. */
export class CloseConnection extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'CloseConnection';
  }
}

/** The response, or null for a request that by the protocol gets none (a produce with acks=0). */
export type Answer<T> = T | null | Promise<T | null>;

/** One API key, declared as data: versions, grammar, what to do, and how to say no. */
export interface ApiDeclaration<Req extends Fields, Res extends Fields> {
  readonly key: number;
  readonly name: string;
  /** First and last version advertised. */
  readonly versions: readonly [number, number];
  /** Lowest version that is really served when it is above the advertised one. */
  readonly servedSince?: number;
  /** First version with compact types and tagged fields (KIP-482); left out when no advertised version has them. */
  readonly flexibleSince?: number;
  /** What a client is told when the disk refuses; by default KAFKA_STORAGE_ERROR, which coordinators must not say. */
  readonly storageErrorCode?: number;
  /** True when the request may be sent before the peer has authenticated. */
  readonly beforeAuthentication?: boolean;
  /**
   * True when nobody looks at the request's bytes once it is answered, except users of lent memory: the memory of its
   * frame is then used again. Byte fields are views of the frame, so whoever keeps one must leave this out.
   */
  readonly leavesFrame?: boolean;
  readonly request: Req;
  readonly response: Res;
  handle(request: Decoded<Req>, context: RequestContext): Answer<Encodable<Res>>;
  /** The response that carries one error for all of the request. */
  refuse(request: Decoded<Req>, errorCode: number): Encodable<Res>;
}

/** An API as the dispatcher sees it: the message types are nobody else's business. */
export interface Api {
  readonly key: number;
  readonly name: string;
  readonly versions: readonly [number, number];
  readonly servedSince: number;
  readonly flexibleSince: number;
  readonly beforeAuthentication: boolean;
  readonly leavesFrame: boolean;
  readonly storageErrorCode: number;
  decode(reader: WireReader, version: number): unknown;
  handle(request: unknown, context: RequestContext): Answer<unknown>;
  refuse(request: unknown, errorCode: number): unknown;
  encode(writer: WireWriter, version: number, response: unknown): void;
  /** The codecs of one version, for tests and tools. */
  codecs(version: number): { readonly request: Codec<unknown>; readonly response: Codec<unknown> };
}

/** Turns a declaration into an API; the codec of a version is compiled when it is first used. */
export function defineApi<const Req extends Fields, const Res extends Fields>(
  declaration: ApiDeclaration<Req, Res>,
): Api {
  const flexibleSince = declaration.flexibleSince ?? Number.POSITIVE_INFINITY;
  const compiled: { request: Codec<Decoded<Req>>; response: Codec<unknown, Encodable<Res>> }[] = [];
  const codecs = (version: number) => {
    compiled[version] ??= {
      request: structCodec(declaration.request, version, version >= flexibleSince) as Codec<Decoded<Req>>,
      response: structCodec(declaration.response, version, version >= flexibleSince),
    };
    return compiled[version];
  };
  return {
    key: declaration.key,
    name: declaration.name,
    versions: declaration.versions,
    servedSince: declaration.servedSince ?? declaration.versions[0],
    flexibleSince,
    beforeAuthentication: declaration.beforeAuthentication ?? false,
    leavesFrame: declaration.leavesFrame ?? false,
    storageErrorCode: declaration.storageErrorCode ?? errorCodes.kafkaStorageError,
    decode: (reader, version) => codecs(version).request.read(reader),
    handle: (request, context) => declaration.handle(request as Decoded<Req>, context),
    refuse: (request, errorCode) => declaration.refuse(request as Decoded<Req>, errorCode),
    encode: (writer, version, response) => codecs(version).response.write(writer, response as Encodable<Res>),
    codecs,
  };
}
