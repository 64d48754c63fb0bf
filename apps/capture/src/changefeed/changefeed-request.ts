import { TidemarkError } from '@tidemark/kernel';
import type { ReplicaConfig } from './replica-config.ts';

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
