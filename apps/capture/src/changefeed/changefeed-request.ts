import { TidemarkError } from '@tidemark/kernel';
import type { ReplicaConfig } from './replica-config.ts';
import { parseSinkUri } from './sink-uri.ts';
import { checkSourceUri } from './source-uri.ts';
import { checkConfig } from './table-rules.ts';

/** What a client wants captured. */
export interface ChangefeedRequest {
  /** A UUID unless given. */
  readonly id: string | undefined;
  readonly sinkUri: string;
  /** Connection URL of the database to capture; the one that keeps the changefeeds unless given. */
  readonly sourceUri?: string | undefined;
  readonly config: ReplicaConfig;
}

/** TiCDC's rule for ids (pingcap/ticdc, pkg/common/types.go). */
const idPattern = /^[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*$/;
const idLengthMax = 128;

/** @throws TidemarkError `CHANGEFEED_ID_INVALID` */
export function checkId(id: string): void {
  if (idPattern.test(id) && id.length <= idLengthMax) return;
  throw new TidemarkError('CHANGEFEED_ID_INVALID', `${JSON.stringify(id)} is no changefeed id`, {
    hint: `Use letters, digits and single hyphens between them, at most ${idLengthMax}.`,
  });
}

export function notFound(id: string): TidemarkError {
  return new TidemarkError('CHANGEFEED_NOT_FOUND', `changefeed ${id} does not exist`, { facts: { id } });
}

export function exists(id: string): TidemarkError {
  return new TidemarkError('CHANGEFEED_EXISTS', `changefeed ${id} exists already`, { facts: { id } });
}

/** Reads what has to be read, to find its mistakes before it is kept. */
export function checkRequest(sinkUri: string, sourceUri: string | null, config: ReplicaConfig): void {
  parseSinkUri(sinkUri);
  if (sourceUri !== null) checkSourceUri(sourceUri);
  checkConfig(config);
}
